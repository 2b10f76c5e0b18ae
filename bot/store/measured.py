"""What metrics ask of the store: the incidents of a span of time, when stakeholders were told, which evidence is kept.

Reads only, a bounded number of rows, and only what indexes answer: no question here touches a timeline. What a metric is,
is `bot.incident.metrics`'.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Executable, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.evidence import Evidence
from bot.incident.incident import Incident, StakeholderUpdate
from bot.incident.outward import Surface, SurfaceKind
from bot.incident.words import Category, DetectionMethod, EvidenceKind, EvidenceState, Severity, Status

MOST = 10_000
"""Incidents that one question reads, the latest first: two years of a busy team."""
AT_ONCE = 200
"""Rows between two looks of the loop at everything else: some five milliseconds."""


@dataclass(frozen=True, slots=True)
class Measurable:
    """What metrics read of one incident: `bot.incident.metrics.Recorded`. Never a drill."""

    number: int
    severity: Severity
    status: Status
    trigger: str | None
    category: Category | None
    detection: DetectionMethod
    drill: bool
    started_at: datetime | None
    declared_at: datetime
    detected_at: datetime | None
    acknowledged_at: datetime | None
    contained_at: datetime | None
    remediated_at: datetime | None
    resolved_at: datetime | None
    ended_at: datetime | None


COLUMNS = tuple(getattr(Incident, one.name) for one in fields(Measurable))


async def between(session: AsyncSession, since: datetime, until: datetime, *, most: int = MOST) -> list[Measurable]:
    """The incidents that were declared from `since` on and before `until`, without drills, the latest first."""
    at = col(Incident.declared_at)
    wanted = select(*COLUMNS).where(at >= since, at < until, ~col(Incident.drill))
    return [Measurable(*row) async for row in _rows(session, wanted.order_by(at.desc()).limit(most))]


async def told(session: AsyncSession, found: Sequence[Measurable]) -> Mapping[int, datetime]:
    """When stakeholders first read of each incident: its announcement, or an update where that came sooner.

    The announcement's moment is that of its message, by Slack's clock. Who reads of it on another incident's line (a storm)
    is told by the first update of its own; without one it is not known when.
    """
    if not found:
        return {}
    first, last = _span(found)
    announced = select(col(Surface.incident), col(Surface.ts)).where(
        col(Surface.incident).between(first, last),
        Surface.kind == SurfaceKind.ANNOUNCEMENT,
        col(Surface.ts).is_not(None),
    )
    of_update = col(StakeholderUpdate.incident)
    updated = (
        select(of_update, func.min(StakeholderUpdate.at)).where(of_update.between(first, last)).group_by(of_update)
    )
    when = {number: posted_at(ts) async for number, ts in _rows(session, announced)}
    known = {number: at for number, at in when.items() if at is not None}
    async for number, at in _rows(session, updated):
        known[number] = min(known.get(number, at), at)
    return known


async def kept(session: AsyncSession, found: Sequence[Measurable]) -> Mapping[int, frozenset[EvidenceKind]]:
    """The kinds of evidence that the vault holds of each incident."""
    if not found:
        return {}
    of, held = col(Evidence.incident), (Evidence.state == EvidenceState.KEPT)
    wanted = select(of, col(Evidence.kind)).where(of.between(*_span(found)), held).distinct()
    kinds: dict[int, set[EvidenceKind]] = {}
    async for number, kind in _rows(session, wanted):
        kinds.setdefault(number, set()).add(kind)
    return {number: frozenset(of_it) for number, of_it in kinds.items()}


def _span(found: Sequence[Measurable]) -> tuple[int, int]:
    """Numbers follow the order in which incidents were declared, so that a span of them is what one index answers."""
    return min(one.number for one in found), max(one.number for one in found)


async def _rows(session: AsyncSession, wanted: Executable) -> AsyncIterator[Any]:
    """Row by row, with a look of the loop at everything else in between: all at once would hold it for a tenth of a second."""
    found = await session.stream(wanted)
    async for piece in found.partitions(AT_ONCE):
        for row in piece:
            yield row
        await asyncio.sleep(0)


def posted_at(ts: str) -> datetime | None:
    """Slack names a message by the moment it was posted: `1790000000.123456`."""
    with contextlib.suppress(ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(float(ts), UTC)
    return None
