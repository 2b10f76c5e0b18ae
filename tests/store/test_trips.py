"""SQLite's thread: how often it is gone to, and that what comes back is what aiosqlite's own cursor brings."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import select

from bot.incident.outward import InboundKey
from bot.store import Store, trips
from bot.store.trips import TOGETHER, Connection

NUMBERS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {most}) SELECT x FROM n"


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A name for each trip to the thread."""
    seen: list[str] = []
    go = aiosqlite.Connection._execute

    async def counted(self: aiosqlite.Connection, what: Any, *given: Any, **named: Any) -> Any:
        seen.append(what.__name__)
        return await go(self, what, *given, **named)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    return seen


async def test_a_statement_is_one_trip_and_brings_its_rows(sqlite_store: Store, gone: list[str]) -> None:
    async with sqlite_store.unit() as unit:
        gone.clear()
        unit.add(InboundKey(key="a", at=unit.now), InboundKey(key="b", at=unit.now))
        await unit.flush()
        assert len(gone) == 1
        assert len((await unit.session.exec(select(InboundKey))).all()) == 2
        assert len(gone) == 2


@pytest.mark.parametrize("count", [0, 1, TOGETHER - 1, TOGETHER, TOGETHER + 1, 3 * TOGETHER + 5])
async def test_a_long_answer_is_whole_however_it_is_read(sqlite_store: Store, count: int) -> None:
    wanted = text(NUMBERS.format(most=max(count, 1)) + (" WHERE 1" if count else " WHERE 0"))
    expected = list(range(1, count + 1))
    async with sqlite_store.read() as session:
        connection = await session.connection()
        assert list((await connection.execute(wanted)).scalars()) == expected
        assert [row.x async for row in await connection.stream(wanted)] == expected
        stream = await connection.stream(wanted)
        parts = [[row.x for row in part] async for part in stream.partitions(700)]
        assert [one for part in parts for one in part] == expected
        first = await connection.stream(wanted)
        assert [row.x for row in await first.fetchmany(2)] == expected[:2]
        await first.close()


async def test_a_stream_is_not_held_in_memory_as_a_whole(sqlite_store: Store, gone: list[str]) -> None:
    async with sqlite_store.read() as session:
        gone.clear()
        stream = await (await session.connection()).stream(text(NUMBERS.format(most=10 * TOGETHER)))
        await stream.fetchmany(10)
        assert gone == ["_answer"]
        await stream.close()
        assert gone == ["_answer", "close"], "and what is left is not read"


async def test_what_a_cursor_knows_is_what_sqlites_own_one_knows(tmp_path: Path) -> None:
    statements: list[tuple[str, Any]] = [
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)", ()),
        ("INSERT INTO t (v) VALUES (?)", ("a",)),
        ("INSERT INTO t (v) VALUES (?), (?) RETURNING id, v", ("b", "c")),
        ("UPDATE t SET v = 'd' WHERE id > ?", (1,)),
        ("SELECT v, count(*) AS n FROM t GROUP BY v ORDER BY v", ()),
        ("DELETE FROM t WHERE id > 10", ()),
    ]
    with sqlite3.connect(tmp_path / "one.db", isolation_level=None) as own:
        connection = await trips.connect(str(tmp_path / "two.db"), isolation_level=None)
        for sql, given in statements:
            theirs = own.execute(sql, given)
            ours = await connection.cursor()
            await ours.execute(sql, given)
            assert await ours.fetchall() == theirs.fetchall()
            assert (ours.description, ours.lastrowid) == (theirs.description, theirs.lastrowid)
            assert ours.rowcount == theirs.rowcount
        async with connection.cursor() as many:
            await many.executemany("INSERT INTO t (v) VALUES (?)", [("x",), ("y",)])
            assert (many.rowcount, await many.fetchone()) == (2, None)
        await connection.close()
    own.close()


async def test_a_refused_statement_raises_what_it_raised_before(sqlite_store: Store) -> None:
    with pytest.raises(IntegrityError):
        async with sqlite_store.unit() as unit:
            unit.add(InboundKey(key="a", at=unit.now), InboundKey(key="a", at=unit.now))
    with pytest.raises(OperationalError):
        async with sqlite_store.unit() as unit:
            await unit.session.exec(text("SELECT nothing FROM nowhere"))  # type: ignore[call-overload]


async def test_a_cursor_that_fails_is_closed_in_its_thread(sqlite_store: Store) -> None:
    """One that the loop throws away has the loop wait for the connection, which may be waiting for another process."""
    with pytest.raises(IntegrityError) as refused:
        async with sqlite_store.unit() as unit:
            unit.add(InboundKey(key="a", at=unit.now), InboundKey(key="a", at=unit.now))
    assert refused.value.orig is not None
    at = refused.value.orig.__traceback__
    while at is not None and at.tb_frame.f_code.co_name != "_answer":
        at = at.tb_next
    assert at is not None
    with pytest.raises(sqlite3.ProgrammingError, match="closed cursor"):
        at.tb_frame.f_locals["cursor"].fetchone()


async def test_a_stores_connections_are_of_this_kind_and_its_thread_keeps_no_process_alive(
    sqlite_store: Store,
) -> None:
    async with sqlite_store.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert isinstance(driver, Connection)
        thread: Any = getattr(driver, "_thread", driver)
        assert thread.daemon
