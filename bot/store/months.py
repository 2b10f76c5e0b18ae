"""What metrics read of ended incidents, kept by the month in which they were declared: a year costs twelve rows, not thousands.

Decides when a month is put away. Derived from the incidents, which stay the truth: with the next entry in the timeline of one
that has ended it is noted, in the same transaction, that this one is to be read itself. Who asks when many of a month are
puts the month away again.
"""

from __future__ import annotations

import contextlib
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from sqlalchemy import delete, func, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.errors import Busy
from bot.incident.learning import MeasuredAnew, MeasuredMonth
from bot.incident.words import EvidenceKind
from bot.store import measured
from bot.store.measured import Measurable

if TYPE_CHECKING:
    from bot.store.engine import Store

LOCK = 0x46480000
"""PostgreSQL's lock of a month ("FH", and its number from the year 0): who puts it away and who forgets it take turns."""

MANY = 8
"""Incidents of one month that are read themselves before the month is put away again: with twice as many, who asks about a year
waits twice as long as in the first week."""


class Read(NamedTuple):
    """One incident with all that metrics read of it; a month keeps those that have ended."""

    incident: Measurable
    told: datetime | None
    kept: frozenset[EvidenceKind]


@dataclass(frozen=True)
class Figures:
    """What was read, before it is measured."""

    found: Sequence[Measurable]
    """The latest first."""
    told: Mapping[int, datetime]
    kept: Mapping[int, frozenset[EvidenceKind]]


async def read(store: Store, since: datetime, until: datetime) -> Figures:
    """The incidents declared from `since` on and before `until`, without drills: one look at the store, all of one moment."""
    async with store.read() as session:
        held = await _held(session, since, until)
        anew = await _anew(session, since, until)
        rows = await measured.running(session, since, until)
        for begins, ends in _gaps(held, since, until):
            rows += await measured.between(session, begins, ends)
        rows += [row for row in await measured.these(session, list(anew)) if since <= row.declared_at < until]
        live = await _with_more(session, list({row.number: row for row in rows}.values()))
    ended = {month_of(one.incident.declared_at) for one in live if one.incident.ended_at is not None}
    often = {month for month, count in Counter(anew.values()).items() if count > MANY}
    with contextlib.suppress(Busy):  # also of a store that is read-only: then they are read again next time
        for month in sorted((ended - held.keys()) | often):
            await _put_away(store, month)
    kept = (one for month in held.values() for one in month if one.incident.number not in anew)
    return _figures([*live, *(one for one in kept if since <= one.incident.declared_at < until)])


async def changed(session: AsyncSession, incidents: Iterable[tuple[str, int]], *, postgres: bool) -> None:
    """Something of these incidents, each with its month, changes with this transaction."""
    insert = postgresql.insert if postgres else sqlite.insert
    for month, number in sorted(incidents):
        await _locked(session, month, postgres=postgres)
        put_away = select(literal(number), MeasuredMonth.month).where(MeasuredMonth.month == month)
        noted = insert(MeasuredAnew).from_select(["number", "month"], put_away)
        await session.exec(noted.on_conflict_do_nothing(index_elements=["number"]))


async def forget(session: AsyncSession, months: Iterable[str], *, postgres: bool) -> None:
    """These months are not put away any more."""
    for month in sorted(months):
        await _locked(session, month, postgres=postgres)
        for noun in (MeasuredMonth, MeasuredAnew):
            await session.exec(delete(noun).where(col(noun.month) == month))


async def _locked(session: AsyncSession, month: str, *, postgres: bool) -> None:
    """Until the transaction ends. SQLite has one writer."""
    if postgres:
        await session.exec(select(func.pg_advisory_xact_lock(LOCK + _number(month))))


def month_of(moment: datetime) -> str:
    """`2026-11`, UTC."""
    at = moment.astimezone(UTC)
    return f"{at.year:04}-{at.month:02}"


async def _held(session: AsyncSession, since: datetime, until: datetime) -> dict[str, list[Read]]:
    """What another version packed in a form that is not read any more counts as not put away."""
    month = col(MeasuredMonth.month)
    rows = await session.exec(select(MeasuredMonth).where(month.between(month_of(since), month_of(until))))
    held = {}
    for row in rows.all():
        with contextlib.suppress(msgspec.DecodeError, zlib.error):
            held[row.month] = msgspec.msgpack.decode(zlib.decompress(row.ended), type=list[Read])
    return held


async def _anew(session: AsyncSession, since: datetime, until: datetime) -> dict[int, str]:
    """The incidents that have changed since their month was put away, and which month each is of."""
    month = col(MeasuredAnew.month)
    rows = await session.exec(select(MeasuredAnew.number, month).where(month.between(month_of(since), month_of(until))))
    return dict(rows.all())


def _gaps(held: Iterable[str], since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The parts of the time that no month covers that is put away."""
    for month in sorted(held):
        first, after = _span(month)
        if since < first:
            yield since, first
        since = max(since, after)
    if since < until:
        yield since, until


async def _put_away(store: Store, month: str) -> None:
    async with store.unit() as unit:
        await forget(unit.session, [month], postgres=not store.sqlite)
        found = await measured.between(unit.session, *_span(month))
        ended = await _with_more(unit.session, [one for one in found if one.ended_at is not None])
        unit.add(MeasuredMonth(month=month, ended=zlib.compress(msgspec.msgpack.encode(ended))))


async def _with_more(session: AsyncSession, found: Sequence[Measurable]) -> list[Read]:
    told, kept = await measured.told(session, found), await measured.kept(session, found)
    return [Read(one, told.get(one.number), kept.get(one.number, frozenset())) for one in found]


def _figures(read: list[Read]) -> Figures:
    read.sort(key=lambda one: (one.incident.declared_at, one.incident.number), reverse=True)
    del read[measured.MOST :]
    return Figures(
        [one.incident for one in read],
        {one.incident.number: one.told for one in read if one.told is not None},
        {one.incident.number: one.kept for one in read},
    )


def _span(month: str) -> tuple[datetime, datetime]:
    """The first instant of the month, and of the one after it."""
    number = _number(month)
    first, after = (datetime(each // 12, each % 12 + 1, 1, tzinfo=UTC) for each in (number, number + 1))
    return first, after


def _number(month: str) -> int:
    """Months since the year 0."""
    return int(month[:4]) * 12 + int(month[5:]) - 1
