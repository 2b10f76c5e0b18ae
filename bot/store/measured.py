"""What metrics ask of the store: the incidents of a span of time, when stakeholders were told, which evidence is kept.

Reads only, a bounded number of rows, and only what indexes answer: no question here touches a timeline. What a metric is,
is `bot.incident.metrics`'; that ended incidents are not read again and again is `months`'.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

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


class Measurable(NamedTuple):
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


COLUMNS = tuple(getattr(Incident, name) for name in Measurable._fields)


async def between(session: AsyncSession, since: datetime, until: datetime, *, most: int = MOST) -> list[Measurable]:
    """The incidents that were declared from `since` on and before `until`, without drills, the latest first."""
    at = col(Incident.declared_at)
    wanted = select(*COLUMNS).where(at >= since, at < until, ~col(Incident.drill))
    return [Measurable(*row) async for row in _rows(session, wanted.order_by(at.desc()).limit(most))]


async def running(session: AsyncSession, since: datetime, until: datetime) -> list[Measurable]:
    """Those of them that have not ended."""
    at = col(Incident.declared_at)
    wanted = select(*COLUMNS).where(col(Incident.ended_at).is_(None), at >= since, at < until, ~col(Incident.drill))
    return [Measurable(*row) async for row in _rows(session, wanted)]


async def these(session: AsyncSession, numbers: Sequence[int]) -> list[Measurable]:
    """The incidents of these numbers, without drills."""
    found = []
    for start in range(0, len(numbers), AT_ONCE):
        of_these = col(Incident.number).in_(numbers[start : start + AT_ONCE])
        found += [
            Measurable(*row) async for row in _rows(session, select(*COLUMNS).where(of_these, ~col(Incident.drill)))
        ]
    return found


async def told(session: AsyncSession, found: Sequence[Measurable]) -> Mapping[int, datetime]:
    """When stakeholders first read of each incident: its announcement, or an update where that came sooner.

    The announcement's moment is that of its message, by Slack's clock. Who reads of it on another incident's line (a storm)
    is told by the first update of its own; without one it is not known when.
    """
    known: dict[int, datetime] = {}
    of_update = col(StakeholderUpdate.incident)
    for numbers in _pieces(found):
        announced = select(col(Surface.incident), col(Surface.ts)).where(
            col(Surface.incident).in_(numbers),
            Surface.kind == SurfaceKind.ANNOUNCEMENT,
            col(Surface.ts).is_not(None),
        )
        updated = select(of_update, func.min(StakeholderUpdate.at)).where(of_update.in_(numbers)).group_by(of_update)
        async for number, ts in _rows(session, announced):
            if (at := posted_at(ts)) is not None:
                known[number] = at
        async for number, at in _rows(session, updated):
            known[number] = min(known.get(number, at), at)
    return known


async def kept(session: AsyncSession, found: Sequence[Measurable]) -> Mapping[int, frozenset[EvidenceKind]]:
    """The kinds of evidence that the vault holds of each incident."""
    of, held = col(Evidence.incident), (Evidence.state == EvidenceState.KEPT)
    kinds: dict[int, set[EvidenceKind]] = {}
    for numbers in _pieces(found):
        wanted = select(of, col(Evidence.kind)).where(of.in_(numbers), held).distinct()
        async for number, kind in _rows(session, wanted):
            kinds.setdefault(number, set()).add(kind)
    return {number: frozenset(of_it) for number, of_it in kinds.items()}


def _pieces(found: Sequence[Measurable]) -> Iterator[list[int]]:
    """Numbers, so many that one question takes: who runs longest and who came last may lie thousands apart."""
    for start in range(0, len(found), AT_ONCE):
        yield [one.number for one in found[start : start + AT_ONCE]]


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
