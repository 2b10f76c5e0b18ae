"""What was recorded of an incident since a moment: counts of everything, and the latest of what people ask about.

Decides nothing. An incident of 90 days may have 100,000 entries: the place to begin is found by halving, not by reading.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.incident import Incident
from bot.incident.timeline import Happened, TimelineEntry


async def first_since(session: AsyncSession, incident: Incident, moment: datetime) -> int:
    """The place in the timeline from which on entries are of this moment or later; one past the end where none is.

    Entries are looked at in the order in which they were recorded. Where a clock was set back some of their times are out of
    order; what was recorded behind the place that is found counts all the same.
    """
    low, high = 1, incident.head_seq + 1
    while low < high:
        middle = (low + high) // 2
        at = select(TimelineEntry.at).where(TimelineEntry.incident == incident.number, TimelineEntry.seq == middle)
        found = (await session.exec(at)).first()
        if found is None or found < moment:
            low = middle + 1
        else:
            high = middle
    return low


async def counts_from(session: AsyncSession, number: int, seq: int) -> Mapping[Happened, int]:
    """How many entries of each kind there are from this place on."""
    kinds = select(TimelineEntry.kind, func.count()).where(TimelineEntry.incident == number, TimelineEntry.seq >= seq)
    counted = (await session.exec(kinds.group_by(col(TimelineEntry.kind)))).all()
    return {Happened(kind): count for kind, count in counted}


async def latest_from(
    session: AsyncSession, number: int, seq: int, *, kinds: Collection[Happened], limit: int
) -> Sequence[TimelineEntry]:
    """The last so many entries of these kinds from this place on, in their order."""
    wanted = select(TimelineEntry).where(
        TimelineEntry.incident == number, TimelineEntry.seq >= seq, col(TimelineEntry.kind).in_(kinds)
    )
    return (await session.exec(wanted.order_by(col(TimelineEntry.seq).desc()).limit(limit))).all()[::-1]
