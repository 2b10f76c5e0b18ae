"""How much there is of what, for the metrics. Reads only, and only what indexes answer: a year of history costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.incident import GLASS_BROKEN, Counter, Incident
from bot.incident.outward import Intent, IntentKind, IntentState
from bot.incident.words import Severity

UNSETTLED = (IntentState.PENDING, IntentState.SENDING, IntentState.GIVEN_UP)
"""What is done is not counted: it grows for ever and says nothing about now."""


@dataclass(frozen=True)
class Counts:
    intents: Mapping[tuple[IntentKind, IntentState], int]
    open_incidents: Mapping[Severity, int]
    """Without drills."""
    oldest_due: datetime | None
    """Since when the longest-waiting intent has been due."""
    glass_broken: int = 0
    """Actions ever carried out by break-glass, without drills."""


async def counts(session: AsyncSession, now: datetime) -> Counts:
    kinds = (Intent.kind, Intent.state, func.count())
    intents = select(*kinds).where(col(Intent.state).in_(UNSETTLED)).group_by(col(Intent.kind), col(Intent.state))
    running = select(Incident.severity, func.count()).where(col(Incident.ended_at).is_(None), ~col(Incident.drill))
    waiting = select(func.min(Intent.due_at)).where(Intent.state == IntentState.PENDING, Intent.due_at <= now)
    broken = select(Counter.value).where(Counter.name == GLASS_BROKEN)
    return Counts(
        intents={
            (IntentKind(kind), IntentState(state)): count for kind, state, count in (await session.exec(intents)).all()
        },
        open_incidents={
            Severity(severity): count
            for severity, count in (await session.exec(running.group_by(col(Incident.severity)))).all()
        },
        oldest_due=(await session.exec(waiting)).one(),
        glass_broken=(await session.exec(broken)).first() or 0,
    )
