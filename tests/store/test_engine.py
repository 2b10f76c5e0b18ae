"""The engine: what is said while the database is held or away, and one process a SQLite file (laws 12 and 14)."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.incident.errors import Busy, Misconfigured, Unwritable
from bot.store import Store
from bot.store.engine import async_url
from tests.conftest import open_incident


@contextlib.contextmanager
def held(url: str) -> Iterator[None]:
    """Another program writes, and takes its time."""
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


async def declare(store: Store) -> str:
    async with store.unit() as unit:
        return (await open_incident(unit)).name


async def test_a_database_that_is_held_for_too_long_is_busy_and_nothing_was_changed(sqlite_url: str) -> None:
    store = Store(sqlite_url, busy_seconds=0.05)
    with held(sqlite_url), pytest.raises(Busy, match=r"^The store is busy\. Nothing was changed; try again") as busy:
        await declare(store)
    assert not busy.value.unknown
    assert await declare(store) == "INC-1", "it works again as soon as the other one is done"
    await store.close()


async def test_a_database_that_is_held_for_a_moment_is_waited_for(sqlite_url: str) -> None:
    store = Store(sqlite_url, busy_seconds=10)
    with held(sqlite_url):
        waiting = asyncio.create_task(declare(store))
        async with store.read() as session:  # readers are not held up
            await (await session.connection()).execute(text("SELECT 1"))
        assert not waiting.done()
    assert await waiting == "INC-1"
    await store.close()


async def test_a_database_that_nobody_answers_at_is_busy() -> None:
    store = Store("postgresql://postgres@127.0.0.1:1/nothing")
    with pytest.raises(Busy):
        await declare(store)
    with pytest.raises(Busy):
        async with store.read():
            pytest.fail("there is nothing to read")
    assert not await store.ready()
    await store.close()


KILL = text("SELECT pg_terminate_backend(:pid)")


async def test_a_connection_that_is_lost_in_the_middle_is_busy(postgres_url: str) -> None:
    store, killer = Store(postgres_url), Store(postgres_url)

    async def killed() -> None:
        async with store.unit() as unit:
            await open_incident(unit)
            connection = await unit.session.connection()
            pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            async with killer.engine.connect() as other:
                await other.execute(KILL, {"pid": pid})
            await open_incident(unit)

    with pytest.raises(Busy, match="Nothing was changed"):
        await killed()
    assert await declare(store) == "INC-1"
    await store.close()
    await killer.close()


async def test_a_connection_that_is_lost_at_the_commit_leaves_it_open_whether_it_was_saved(postgres_url: str) -> None:
    store, killer = Store(postgres_url), Store(postgres_url)

    async def killed() -> None:
        async with store.unit() as unit:
            await open_incident(unit)
            await unit.finish(None)
            connection = await unit.session.connection()
            pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            unit._changed.clear()  # nothing more is sent before the commit
            async with killer.engine.connect() as other:
                await other.execute(KILL, {"pid": pid})

    with pytest.raises(Busy, match="look before you try again") as busy:
        await killed()
    assert busy.value.unknown
    assert await declare(store) == "INC-1"
    await store.close()
    await killer.close()


async def test_an_error_that_does_not_pass_by_itself_is_not_called_busy(store: Store) -> None:
    with pytest.raises(DBAPIError, match="no_such_table"):
        async with store.unit() as unit:
            await (await unit.session.connection()).execute(text("SELECT * FROM no_such_table"))


async def test_an_error_of_the_use_case_itself_is_not_called_busy(store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        async with store.unit():
            raise FileNotFoundError("something else is missing")


async def test_what_only_looks_cannot_write_on_postgres(postgres_url: str) -> None:
    store = Store(postgres_url)
    with pytest.raises(Unwritable):
        async with store.read() as session:
            await (await session.connection()).execute(text("DELETE FROM counter"))
    await store.close()


@pytest.mark.parametrize("url", ["mysql://db/x", "not a url", "", "mongodb://x"])
def test_a_url_that_is_no_database_of_ours_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="DATABASE_URL"):
        async_url(url)


async def test_a_store_is_ready_where_its_database_answers(store: Store) -> None:
    assert await store.ready()


HOLD = """
import sys
from bot.store import Store
Store(sys.argv[1], exclusive=True)
print("held", flush=True)
sys.stdin.read()
"""


async def test_a_second_process_on_one_sqlite_file_is_refused_until_the_first_is_gone(sqlite_url: str) -> None:
    first = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, sqlite_url, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert first.stdout is not None
    assert await first.stdout.readline() == b"held\n"
    with pytest.raises(
        Misconfigured, match=r"Another Firsthour process uses .*firsthour\.db; with SQLite only one may run"
    ):
        Store(sqlite_url, exclusive=True)
    beside = Store(sqlite_url)  # doctor, verify and export look beside it
    assert await beside.ready()
    await beside.close()
    first.kill()
    await first.communicate()
    after = Store(sqlite_url, exclusive=True)
    assert await after.ready()
    await after.close()


async def test_a_closed_store_gives_its_file_back(sqlite_url: str) -> None:
    for _ in range(2):
        store = Store(sqlite_url, exclusive=True)
        await store.close()
        await store.close()


def test_a_file_that_cannot_be_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"No such file or directory\. Check DATABASE_URL"):
        Store(f"sqlite:///{tmp_path}/missing/firsthour.db", exclusive=True)


async def test_any_number_of_processes_may_share_postgres(postgres_url: str) -> None:
    stores = [Store(postgres_url, exclusive=True) for _ in range(2)]
    assert [await store.ready() for store in stores] == [True, True]
    for store in stores:
        await store.close()
