"""Questions asked of the store. Reads only; each question once.

Decides nothing. A question asked inside a unit of work is given that unit's session.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.casefile import CaseFile
from bot.incident.errors import NotFound
from bot.incident.evidence import Evidence
from bot.incident.incident import Alert, GatheredSubject, Incident, RoleHeld, StakeholderUpdate
from bot.incident.learning import Exposure
from bot.incident.outward import Surface
from bot.incident.timeline import Happened, TimelineEntry, prove
from bot.incident.validation import ValidationRun
from bot.incident.words import Role
from bot.incident.work import Action, Approval, Step

Noun = TypeVar("Noun", bound=SQLModel)
LATEST = 20
"""So many alerts and pieces of evidence are read with an incident."""
TOP_SUBJECTS = 5
"""So many of a storm's subjects are named on the card."""


async def incident(session: AsyncSession, number: int) -> Incident:
    """Raises NotFound."""
    found = await session.get(Incident, number)
    if found is None:
        raise NotFound(f"There is no INC-{number}. `/incident list` shows the open ones.")
    return found


async def case_file(session: AsyncSession, number: int, now: datetime) -> CaseFile:
    """Everything about one incident. Raises NotFound."""
    of_it = await incident(session, number)

    async def of(noun: type[Noun], order: str) -> Sequence[Noun]:
        mine = select(noun).where(noun.incident == number).order_by(getattr(noun, order))  # type: ignore[attr-defined]
        return (await session.exec(mine)).all()

    return CaseFile(
        incident=of_it,
        alerts=await _latest(session, Alert, number),
        evidence=await _latest(session, Evidence, number),
        steps=await of(Step, "position"),
        actions=await of(Action, "index"),
        approvals=await of(Approval, "id"),
        roles=await of(RoleHeld, "id"),
        updates=await of(StakeholderUpdate, "id"),
        surfaces=await of(Surface, "id"),
        now=now,
        gathered=await _most_gathered(session, number) if of_it.gathered else (),
        announces=await announced_by(session, number),
        validations=await of(ValidationRun, "id"),
        exposure=await session.get(Exposure, number),
    )


async def _latest(session: AsyncSession, noun: type[Noun], number: int) -> Sequence[Noun]:
    """An alert that fires all night attaches thousands of times, and every card would read them all."""
    mine = select(noun).where(noun.incident == number)  # type: ignore[attr-defined]
    return (await session.exec(mine.order_by(noun.id.desc()).limit(LATEST))).all()[::-1]  # type: ignore[attr-defined]


async def announced_by(session: AsyncSession, number: int) -> Sequence[Incident]:
    """The incidents without a line of their own for stakeholders: this one's tells of them."""
    told = select(Incident).where(Incident.announced_by == number).order_by(col(Incident.number))
    return (await session.exec(told)).all()


async def _most_gathered(session: AsyncSession, number: int) -> Sequence[GatheredSubject]:
    order = (col(GatheredSubject.alerts).desc(), col(GatheredSubject.id))
    wanted = select(GatheredSubject).where(GatheredSubject.incident == number).order_by(*order).limit(TOP_SUBJECTS)
    return (await session.exec(wanted)).all()


async def in_channel(session: AsyncSession, channel_id: str) -> Incident | None:
    """The incident whose room this channel is."""
    found = await session.exec(select(Incident).where(Incident.channel_id == channel_id))
    return found.first()


async def known(session: AsyncSession, numbers: Collection[int]) -> set[int]:
    """Which of these incidents there are."""
    return set((await session.exec(select(Incident.number).where(col(Incident.number).in_(numbers)))).all())


async def running(session: AsyncSession, *, limit: int = 50) -> Sequence[Incident]:
    """Incidents that have not ended, most severe first, then oldest."""
    order = (col(Incident.severity), col(Incident.number))
    return (
        await session.exec(select(Incident).where(col(Incident.ended_at).is_(None)).order_by(*order).limit(limit))
    ).all()


async def timeline(session: AsyncSession, number: int, *, limit: int | None = None) -> Sequence[TimelineEntry]:
    """Entries in order; with a limit, the last so many."""
    wanted = select(TimelineEntry).where(TimelineEntry.incident == number)
    if limit is None:
        return (await session.exec(wanted.order_by(col(TimelineEntry.seq)))).all()
    last = (await session.exec(wanted.order_by(col(TimelineEntry.seq).desc()).limit(limit))).all()
    return last[::-1]


async def verify_timeline(session: AsyncSession, number: int) -> int:
    """The number of entries of a chain that holds. Raises ChainBroken naming the first broken link, or NotFound."""
    proven = await incident(session, number)
    entries = map(vars, await timeline(session, number))
    return prove(number, entries, head_seq=proven.head_seq, head_hash=proven.head_hash)


async def last_entry(session: AsyncSession, number: int, *kinds: Happened) -> TimelineEntry | None:
    """The latest entry of these kinds: who did it, and when."""
    wanted = select(TimelineEntry).where(TimelineEntry.incident == number, col(TimelineEntry.kind).in_(kinds))
    return (await session.exec(wanted.order_by(col(TimelineEntry.seq).desc()).limit(1))).first()


async def evidence(session: AsyncSession, number: int, evidence_id: int) -> Evidence | None:
    """A piece of this incident."""
    wanted = select(Evidence).where(Evidence.incident == number, Evidence.id == evidence_id)
    return (await session.exec(wanted)).one_or_none()


async def holders(session: AsyncSession, number: int) -> Mapping[Role, RoleHeld]:
    """Who holds which role in the incident now."""
    held = await session.exec(select(RoleHeld).where(RoleHeld.incident == number))
    return {row.role: row for row in held.all()}


async def held_in(session: AsyncSession, numbers: Sequence[int], role: Role) -> Mapping[int, str]:
    """Who holds one role in each of these incidents, in one question."""
    wanted = select(RoleHeld).where(RoleHeld.role == role, col(RoleHeld.incident).in_(numbers))
    return {row.incident: row.person for row in (await session.exec(wanted)).all()}
