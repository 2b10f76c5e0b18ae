"""Ended incidents by month, as metrics read them: what is put away says the same as the incidents, whatever happens next."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlmodel import col, delete, select, update

from bot.cases import finish, roles, severity
from bot.cases.context import Context
from bot.incident.errors import Invalid, Refused
from bot.incident.evidence import Evidence
from bot.incident.incident import SYSTEM, Incident, StakeholderUpdate
from bot.incident.learning import MeasuredAnew, MeasuredMonth
from bot.incident.timeline import Happened
from bot.incident.words import EvidenceKind, EvidenceState, Role, Severity
from bot.store import Store, months
from tests.conftest import START
from tests.opened import ALICE, context, opened, resolve

SPAN = (START - timedelta(days=400), START + timedelta(days=400))


async def anew(store: Store, since: datetime = SPAN[0], until: datetime = SPAN[1]) -> months.Figures:
    """Read from the incidents themselves."""
    async with store.unit() as unit:
        await unit.session.exec(delete(MeasuredMonth))
    return await months.read(store, since, until)


async def put_away(store: Store) -> list[str]:
    async with store.read() as session:
        return sorted((await session.exec(select(MeasuredMonth.month))).all())


async def declared(store: Store, number: int, at: datetime) -> None:
    async with store.unit() as unit:
        await unit.session.exec(update(Incident).where(col(Incident.number) == number).values(declared_at=at))


async def commanded(ctx: Context, number: int) -> None:
    await roles.assign(ctx, ALICE, number, role=Role.COMMANDER, person="U0ALICE")


async def ended(ctx: Context, at: datetime, **about: Any) -> int:
    number = await opened(ctx, **about)
    await declared(ctx.store, number, at)
    await commanded(ctx, number)
    await finish.false_positive(ctx, ALICE, number, reason="a test")
    return number


async def test_a_second_look_reads_one_row_a_month_and_says_the_same(store: Store) -> None:
    ctx = context(store)
    for month in range(1, 5):
        await ended(ctx, datetime(2026, month, 1, tzinfo=UTC), user=f"u{month}", app=f"a{month}")
    running = await opened(ctx, user="runs", app="runs")
    first = await months.read(store, *SPAN)
    assert await put_away(store) == ["2026-01", "2026-02", "2026-03", "2026-04"]
    asked: list[Any] = []

    def listen(*given: Any) -> None:
        if "FROM evidence" in given[2]:
            asked.append(given[3])

    event.listen(store.engine.sync_engine, "after_cursor_execute", listen)
    assert await months.read(store, *SPAN) == first
    event.remove(store.engine.sync_engine, "after_cursor_execute", listen)
    assert len(first.found) == 5 and [[one for one in given if isinstance(one, int)] for given in asked] == [[running]]
    inside = (datetime(2026, 2, 1, 0, 0, 0, 1, tzinfo=UTC), datetime(2026, 4, 1, 0, 0, 0, 1, tzinfo=UTC))
    seen = await months.read(store, *inside)
    assert [one.number for one in seen.found] == [4, running, 3], "a span may begin and end within a month"
    assert seen == await anew(store, *inside)


async def test_whatever_happens_to_an_incident_is_read_at_the_next_look(store: Store) -> None:
    ctx, chance = context(store), random.Random(3)
    numbers = [await opened(ctx, user=f"u{n}", app=f"a{n}") for n in range(4)]
    for number in numbers:
        await declared(store, number, START + timedelta(days=31 * (number % 3)))
        await commanded(ctx, number)
    acts = (
        lambda number: resolve(ctx, ALICE, number, reason="mended"),
        lambda number: finish.false_positive(ctx, ALICE, number, reason="none"),
        lambda number: finish.reopen(ctx, ALICE, number, reason="it came back"),
        lambda number: severity.change(ctx, ALICE, number, severity=chance.choice(list(Severity)), reason="a test"),
        lambda number: _kept(store, number),
        lambda number: _told(store, number),
    )
    done = 0
    for _ in range(30):
        with contextlib.suppress(Refused, Invalid):  # not every act is possible in every status
            await chance.choice(acts)(chance.choice(numbers))
            done += 1
        seen = await months.read(store, *SPAN)
        assert seen == await anew(store)
        await months.read(store, *SPAN)
    assert done > 10


async def _kept(store: Store, number: int) -> None:
    about = {"source": "cli", "excerpt": "", "added_by": "U0ALICE", "added_at": START, "size": 1}
    async with store.unit() as unit:
        incident = await unit.incident(number)
        name = f"piece {incident.head_seq}"
        kind = EvidenceKind.LOGS if incident.head_seq % 2 else EvidenceKind.MODEL_STATE
        unit.add(Evidence(incident=number, kind=kind, state=EvidenceState.KEPT, name=name, sha256="0" * 64, **about))
        unit.record(incident, Happened.EVIDENCE_KEPT, SYSTEM, name=name, sha256="0" * 64)


async def _told(store: Store, number: int) -> None:
    async with store.unit() as unit:
        incident = await unit.incident(number)
        unit.add(StakeholderUpdate(incident=number, text="x", by="U0ALICE", at=START))
        unit.record(incident, Happened.UPDATE_POSTED, SYSTEM, text="x")


async def test_a_change_that_comes_while_a_month_is_put_away_is_not_lost(store: Store) -> None:
    ctx = context(store)
    number = await ended(ctx, START, user="u", app="a")
    month = months.month_of(START)
    await months.read(store, *SPAN)
    async with store.read() as session:
        before = (await session.exec(select(MeasuredMonth.ended))).one()
    async with store.unit() as unit:
        await months.forget(unit.session, [month], postgres=not store.sqlite)
        reopening = asyncio.create_task(finish.reopen(ctx, ALICE, number, reason="it came back"))
        done, _ = await asyncio.wait([reopening], timeout=0.3)
        assert not done, "who forgets the month waits until it is put away"
        unit.add(MeasuredMonth(month=month, ended=before))
    await reopening
    assert await put_away(store) == [month]
    assert [one.ended_at for one in (await months.read(store, *SPAN)).found] == [None]


async def test_after_one_change_only_that_incident_is_read_and_after_many_the_month_is_put_away_anew(
    store: Store,
) -> None:
    ctx = context(store)
    numbers = [await ended(ctx, START, user=f"u{n}", app=f"a{n}") for n in range(months.MANY + 2)]
    await months.read(store, *SPAN)
    asked: list[Any] = []

    def listen(*given: Any) -> None:
        if "FROM evidence" in given[2]:
            asked.append([one for one in given[3] if isinstance(one, int)])

    async def read_anew() -> set[int]:
        async with store.read() as session:
            return set((await session.exec(select(MeasuredAnew.number))).all())

    await _told(store, numbers[0])
    assert await put_away(store) == [months.month_of(START)] and await read_anew() == {numbers[0]}
    event.listen(store.engine.sync_engine, "after_cursor_execute", listen)
    seen = await months.read(store, *SPAN)
    event.remove(store.engine.sync_engine, "after_cursor_execute", listen)
    assert asked == [[numbers[0]]]
    assert numbers[0] in seen.told and len(seen.found) == len(numbers)
    for number in numbers[1:]:
        await _told(store, number)
    assert await read_anew() == set(numbers)
    seen = await months.read(store, *SPAN)
    assert await read_anew() == set() and set(seen.told) == set(numbers)
    assert await months.read(store, *SPAN) == seen == await anew(store)


async def test_what_another_version_put_away_is_read_and_put_away_anew(store: Store) -> None:
    ctx = context(store)
    await ended(ctx, START, user="u", app="a")
    before = await months.read(store, *SPAN)
    async with store.unit() as unit:
        await unit.session.exec(update(MeasuredMonth).values(ended=b"\x93\x01\x02\x03"))
    assert await months.read(store, *SPAN) == before
    async with store.read() as session:
        assert (await session.exec(select(MeasuredMonth.ended))).one() != b"\x93\x01\x02\x03"


async def test_a_store_that_cannot_be_written_still_tells_what_it_holds(sqlite_url: str, clock: Any) -> None:
    store = Store(sqlite_url, now=clock, busy_seconds=0.05)
    try:
        number = await ended(context(store), START, user="u", app="a")
        other = sqlite3.connect(make_url(sqlite_url).database or "")
        other.execute("BEGIN IMMEDIATE")
        try:
            assert [one.number for one in (await months.read(store, *SPAN)).found] == [number]
        finally:
            other.close()
        assert await put_away(store) == []
    finally:
        await store.close()


@pytest.mark.parametrize("month", ["0001-01", "2026-01", "2026-12", "9998-12"])
def test_a_month_ends_where_the_next_begins(month: str) -> None:
    first, after = months._span(month)
    assert months.month_of(first) == month == months.month_of(after - timedelta(microseconds=1))
    assert months.month_of(after) > month
