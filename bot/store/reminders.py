"""Reminders that fell due: which incidents have some, claiming them exactly once, and what deciding about them needs.

Decides the order of locks: the incident first, then its reminders, as every use case does; an incident that is locked is
left for the next look instead of waited for. What a reminder says is `bot.cases.remind`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from sqlalchemy import delete, func, update
from sqlalchemy.orm import defer
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.casefile import CaseFile
from bot.incident.columns import Json
from bot.incident.evidence import Evidence
from bot.incident.incident import Incident, RoleHeld, StakeholderUpdate
from bot.incident.learning import Exposure
from bot.incident.outward import InboundKey, Reminder, ReminderKind, ReminderState
from bot.incident.work import Step
from bot.store.unit import Unit

Noun = TypeVar("Noun", bound=SQLModel)


class Fired(Protocol):
    """A reminder's row. Thousands fall due at one instant, and an object for each would hold the loop."""

    key: str
    incident: int
    kind: ReminderKind
    args: Json
    due_at: datetime


@dataclass(frozen=True)
class Due:
    """One incident, locked, and its reminders that fell due, oldest first. They are marked as fired already."""

    incident: Incident
    reminders: Sequence[Fired]


async def due(session: AsyncSession, now: datetime, *, limit: int) -> Sequence[int]:
    """Incidents with a reminder that fell due, the longest waiting first."""
    fallen = select(Reminder.incident).where(Reminder.state == ReminderState.PENDING, Reminder.due_at <= now)
    waiting = fallen.group_by(col(Reminder.incident)).order_by(func.min(Reminder.due_at)).limit(limit)
    return (await session.exec(waiting)).all()


async def claim(unit: Unit, numbers: Sequence[int]) -> Sequence[Due]:
    """Lock these incidents and mark what fell due as fired, in this transaction. Exactly one process gets each."""
    free = select(Incident).where(col(Incident.number).in_(numbers)).order_by(col(Incident.number))
    incidents = (await unit.session.exec(free.with_for_update(skip_locked=True))).all()
    mine = [incident.number for incident in incidents]
    fallen = (
        update(Reminder)
        .where(
            col(Reminder.incident).in_(mine), col(Reminder.state) == ReminderState.PENDING,
            col(Reminder.due_at) <= unit.now,
        )
        .values(state=ReminderState.FIRED, fired_at=unit.now)
        .returning(Reminder.__table__)  # type: ignore[attr-defined]
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    # RETURNING promises no order.
    reminders: list[Any] = sorted((await unit.session.exec(fallen)).all(), key=lambda row: (row.due_at, row.id))
    by_incident = _grouped(reminders)
    return [Due(one, by_incident[one.number]) for one in incidents if one.number in by_incident]


async def stop_orphans(unit: Unit, numbers: Sequence[int]) -> Sequence[int]:
    """Stop the reminders of those incidents that were deleted by hand. Returns which."""
    there = set((await unit.session.exec(select(Incident.number).where(col(Incident.number).in_(numbers)))).all())
    gone = [number for number in numbers if number not in there]
    if gone:
        pending = update(Reminder).where(col(Reminder.incident).in_(gone), col(Reminder.state) == ReminderState.PENDING)
        await unit.session.exec(pending.values(state=ReminderState.STOPPED))
    return gone


async def put_off(unit: Unit, number: int, span: timedelta) -> None:
    """Have what fell due for this incident fall due later: deciding about it failed."""
    fallen = update(Reminder).where(
        col(Reminder.incident) == number, col(Reminder.state) == ReminderState.PENDING, col(Reminder.due_at) <= unit.now
    )
    await unit.session.exec(fallen.values(due_at=unit.now + span))


async def progress(session: AsyncSession, incidents: Sequence[Incident], now: datetime) -> Mapping[int, CaseFile]:
    """What a reminder may ask about many incidents, read in five queries: steps, roles, evidence, updates, scope.

    The other parts of these case files are empty: they are for deciding about reminders, never for rendering.
    """
    numbers = [incident.number for incident in incidents]
    if not numbers:
        return {}
    steps = _grouped(await _of(session, Step, numbers))
    roles = _grouped(await _of(session, RoleHeld, numbers))
    evidence = _grouped(await _of(session, Evidence, numbers))
    updates = _grouped(await _of(session, StakeholderUpdate, numbers))
    exposures = (await session.exec(select(Exposure).where(col(Exposure.incident).in_(numbers)))).all()
    exposed = {one.incident: one for one in exposures}
    return {
        one.number: CaseFile(
            incident=one,
            alerts=(),
            evidence=evidence.get(one.number, ()),
            steps=steps.get(one.number, ()),
            actions=(),
            approvals=(),
            roles=roles.get(one.number, ()),
            updates=updates.get(one.number, ()),
            surfaces=(),
            now=now,
            exposure=exposed.get(one.number),
        )
        for one in incidents
    }


async def _of(session: AsyncSession, noun: type[Noun], numbers: Sequence[int]) -> Sequence[Noun]:
    wanted = select(noun).where(noun.incident.in_(numbers)).order_by(noun.id)  # type: ignore[attr-defined]
    return (await session.exec(wanted.options(defer(Evidence.excerpt)) if noun is Evidence else wanted)).all()  # type: ignore[arg-type]


def _grouped(rows: Sequence[Noun]) -> dict[int, list[Noun]]:
    groups: dict[int, list[Noun]] = {}
    for row in rows:
        groups.setdefault(row.incident, []).append(row)  # type: ignore[attr-defined]
    return groups


async def forget_inbound(unit: Unit, before: datetime) -> int:
    """Delete what was counted so long ago that nobody delivers it again. Returns how many."""
    result = await unit.session.exec(delete(InboundKey).where(col(InboundKey.at) < before))
    return result.rowcount
