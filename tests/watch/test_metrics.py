"""What Prometheus reads of a watch that really runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.detection.event import Event
from bot.settings import DetectionSettings
from bot.store import Store
from bot.watch.laps import EVERY
from tests import opened as case
from tests.conftest import START
from tests.watch.conftest import Running, running
from tests.watch.seen import query

NOW = START.timestamp()


def queries(first: int, last: int) -> list[Event]:
    """Numbered queries of mallory's, one a second until now, each with a result of its own."""
    return [query(number, NOW - 100 + number) for number in range(first, last + 1)]


def outcome(watch: Running, name: str) -> float:
    return watch.metric("firsthour_events_total", source="litellm", outcome=name)


def stage(watch: Running, name: str) -> float:
    return watch.metric("firsthour_watch_stage_seconds_count", stage=name)


async def test_what_is_late_lags_comes_twice_is_dropped_for_want_of_room_and_is_committed_is_told(
    sqlite_store: Store, folder: Path
) -> None:
    ctx = case.context(sqlite_store, detection=DetectionSettings(most_keys=1000))
    async with running(sqlite_store, folder, ctx) as watch:
        await watch.take(*queries(1, 50), *queries(41, 50), via="litellm")
        assert (outcome(watch, "accepted"), outcome(watch, "duplicate"), outcome(watch, "late")) == (50, 10, 0)
        assert watch.metric("firsthour_event_lag_seconds_count") == 1
        assert watch.metric("firsthour_event_lag_seconds_sum") == pytest.approx(50, abs=5), "the last's age"

        await watch.take(*queries(51, 101), via="litellm")
        await watch.settled()
        assert watch.metric("firsthour_finding_commit_seconds_count") == 1
        assert 0 < watch.metric("firsthour_finding_commit_seconds_sum") < 60
        assert watch.metric("firsthour_findings_total", trigger="bulk_data_extraction", outcome="opened") == 1

        await watch.take(query(102, NOW - 3601), via="litellm")
        assert (outcome(watch, "accepted"), outcome(watch, "late")) == (102, 1), "late, and taken all the same"

        keys = watch.metric("firsthour_watch_keys")
        assert 0 < keys < 100 and watch.metric("firsthour_watch_evictions") == 0
        await watch.take(
            *(query(number, NOW, user_id=f"user-{number}") for number in range(1000, 2000 - int(keys) + 2))
        )
        assert (watch.metric("firsthour_watch_keys"), watch.metric("firsthour_watch_evictions")) == (1000, 2)


async def test_each_stage_is_measured_of_one_step_in_some_and_of_every_write_and_commit(watch: Running) -> None:
    names = ("known", "scan", "count")
    await watch.take(query(0, NOW))
    assert [stage(watch, name) for name in names] == [1, 1, 1]
    for number in range(1, EVERY):
        await watch.take(query(number, NOW))
    assert [stage(watch, name) for name in names] == [1, 1, 1]
    await watch.take(*(query(number, NOW) for number in range(EVERY, 101)))
    assert [stage(watch, name) for name in names] == [2, 2, 2]
    await watch.settled()
    assert await watch.running.taker.events.written()
    assert stage(watch, "commit") == 1 and stage(watch, "log") >= 1
    took = [watch.metric("firsthour_watch_stage_seconds_sum", stage=name) for name in (*names, "commit", "log")]
    assert all(0 < seconds < 60 for seconds in took)
