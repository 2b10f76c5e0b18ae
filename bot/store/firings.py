"""What one trigger really did: the incidents that it opened, what attached, and which of them were false positives.

Decides what counts: what one source committed about the trigger, without drills. Reads only. What the trigger would have
done with another threshold is `bot.tuning`'s to find out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.incident import Alert, Incident
from bot.incident.words import Status

MADE = frozenset({"opened", "escalated"})
"""Answers of an alert by which an incident is this trigger's."""
MOST = 100_000
"""Alerts that are read; the latest."""


@dataclass(frozen=True)
class Opened:
    number: int
    subject_kind: str
    subject_id: str | None
    app: str | None
    false_positive: bool


@dataclass(frozen=True)
class Firings:
    opened: Sequence[Opened]
    """Incidents that the trigger opened, or made its own by escalating them; the latest first."""
    answers: Mapping[str, int]
    """Committed findings by what became of each: opened, attached, escalated, counted."""
    ids: frozenset[str]
    """Of the committed findings."""

    @property
    def false_positives(self) -> Sequence[Opened]:
        return [one for one in self.opened if one.false_positive]


async def firings(
    session: AsyncSession, source: str, trigger: str, since: datetime, until: datetime, *, app: str | None = None
) -> Firings:
    """Committed from `since` to just before `until`, of one application where it is named."""
    of_app = [] if app is None else [Incident.app == app]
    committed = (
        select(Alert, Incident)
        .join(Incident, col(Incident.number) == col(Alert.incident))
        .where(
            Alert.source == source, Alert.trigger == trigger, Alert.received_at >= since, Alert.received_at < until,
            ~col(Incident.drill), *of_app,
        )
    )  # fmt: skip
    rows = (await session.exec(committed.order_by(col(Alert.id).desc()).limit(MOST))).all()
    made = {incident.number: incident for alert, incident in rows if alert.answer in MADE}
    return Firings(
        opened=[_opened(incident) for incident in made.values()],
        answers=Counter(alert.answer for alert, _ in rows),
        ids=frozenset(alert.external_id for alert, _ in rows),
    )


def _opened(one: Incident) -> Opened:
    return Opened(one.number, one.subject_kind.value, one.subject_id, one.app, one.status is Status.FALSE_POSITIVE)
