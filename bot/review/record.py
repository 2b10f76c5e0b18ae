"""Everything that a document may say of one incident, read from the store without holding up the loop.

Decides what is read, and that a document knows the timeline up to one entry only: asked for again it says the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.columns import Json
from bot.incident.evidence import Evidence
from bot.incident.incident import Incident, RoleHeld, StakeholderUpdate
from bot.incident.learning import ActionItem, Exposure, ReviewAnswer, Risk
from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.validation import ValidationRun
from bot.incident.words import ActorKind
from bot.incident.work import Action, Approval, Step
from bot.store import Store, measured, queries

PAGE = 500
"""Entries read at a time: an incident of 90 days has tens of thousands, and others want to be answered meanwhile."""
Noun = TypeVar("Noun", bound=SQLModel)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the timeline, without the weight of a row that the session watches."""

    seq: int
    at: datetime
    kind: Happened
    actor_kind: ActorKind
    actor: str
    data: Json
    hash: str


@dataclass(frozen=True)
class Record:
    incident: Incident
    entries: Sequence[Entry]
    evidence: Sequence[Evidence]
    steps: Sequence[Step]
    actions: Sequence[Action]
    approvals: Sequence[Approval]
    roles: Sequence[RoleHeld]
    updates: Sequence[StakeholderUpdate]
    runs: Sequence[ValidationRun]
    items: Sequence[ActionItem]
    risks: Sequence[Risk]
    answers: Mapping[str, ReviewAnswer]
    exposure: Exposure | None
    recurred_as: Sequence[int]
    """Incidents in which it came back."""
    notified_at: datetime | None
    """When stakeholders first read of it."""

    @property
    def as_of(self) -> datetime:
        """The latest moment that it knows: no document has a time of its own in it."""
        return max((entry.at for entry in self.entries), default=self.incident.declared_at)

    @property
    def head(self) -> int:
        return self.entries[-1].seq if self.entries else 0

    def of(self, *kinds: Happened) -> Sequence[Entry]:
        return [entry for entry in self.entries if entry.kind in kinds]

    def first(self, kind: Happened, **said: Any) -> Entry | None:
        found = (e for e in self.entries if e.kind is kind and all(e.data.get(k) == v for k, v in said.items()))
        return next(found, None)

    def answer(self, question: str) -> str | None:
        found = self.answers.get(question)
        return found.text if found is not None and found.text.strip() else None


async def read(store: Store, number: int, *, upto: int | None = None) -> Record:
    """`upto`: the last entry that it knows. Raises NotFound."""
    async with store.read() as session:
        incident = await queries.incident(session, number)
        asked: Any = incident  # of which only the number is asked
        answers = await _of(session, ReviewAnswer, number, ReviewAnswer.id)
        again = select(Incident.number).where(Incident.recurrence_of == number).order_by(col(Incident.number))
        return Record(
            incident=incident,
            entries=await _entries(session, number, min(incident.head_seq, upto or incident.head_seq)),
            evidence=await _of(session, Evidence, number, Evidence.id),
            steps=await _of(session, Step, number, Step.position),
            actions=await _of(session, Action, number, Action.index),
            approvals=await _of(session, Approval, number, Approval.id),
            roles=await _of(session, RoleHeld, number, RoleHeld.id),
            updates=await _of(session, StakeholderUpdate, number, StakeholderUpdate.id),
            runs=await _of(session, ValidationRun, number, ValidationRun.id),
            items=await _of(session, ActionItem, number, ActionItem.id),
            risks=await _of(session, Risk, number, Risk.id),
            answers={one.question: one for one in answers},
            exposure=await session.get(Exposure, number),
            recurred_as=(await session.exec(again)).all(),
            notified_at=(await measured.told(session, [asked])).get(number),
        )


async def _of(session: AsyncSession, noun: type[Noun], number: int, order: Any) -> Sequence[Noun]:
    mine = select(noun).where(noun.incident == number).order_by(order)  # type: ignore[attr-defined]
    return (await session.exec(mine)).all()


async def _entries(session: AsyncSession, number: int, upto: int) -> Sequence[Entry]:
    entries: list[Entry] = []
    columns: Any = [getattr(TimelineEntry, name) for name in Entry.__slots__]
    while True:
        after = entries[-1].seq if entries else 0
        wanted = select(*columns).where(
            TimelineEntry.incident == number, TimelineEntry.seq > after, TimelineEntry.seq <= upto
        )
        rows = (await session.exec(wanted.order_by(col(TimelineEntry.seq)).limit(PAGE))).all()
        entries.extend(Entry(*row) for row in rows)
        if len(rows) < PAGE:
            return entries
        await asyncio.sleep(0)
