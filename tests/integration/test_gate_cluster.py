"""The gate's limits in a real cluster of three: the checks of make test, on each node's slots, and a node that is killed."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest
import redis
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from bot.gate import valkey
from bot.gate.limits import ALLOWED
from bot.gate.valkey import ValkeyLimiter
from tests.gate.test_valkey import (
    patient,
    test_the_window_slides_and_a_refused_call_is_not_counted,
    test_two_gates_that_are_asked_at_once_let_exactly_the_limit_through,
)
from tests.integration.systems.valkey_cluster import Cluster

__all__ = [
    "patient",
    "test_the_window_slides_and_a_refused_call_is_not_counted",
    "test_two_gates_that_are_asked_at_once_let_exactly_the_limit_through",
]
SUBJECTS = [f"user-{n}" for n in range(12)]
"""On all three nodes, as their hashes fall."""


pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
"""Where it looks for the nodes anew and one is down, redis-py leaves connections that it opened to the collector."""


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """What is left is collected here, and not in the middle of another test."""
    yield
    gc.collect()


@pytest.fixture
def control(valkey_cluster: Cluster) -> Iterator[redis.RedisCluster]:
    """Empty at the beginning."""
    with redis.RedisCluster("127.0.0.1", port=valkey_cluster.port) as client:
        client.flushall()
        yield client


@pytest.fixture
async def two(valkey_cluster: Cluster, control: redis.RedisCluster) -> AsyncIterator[list[ValkeyLimiter]]:
    url = SecretStr(f"redis://127.0.0.1:{valkey_cluster.port}")
    async with AsyncExitStack() as ends:
        made = [ValkeyLimiter(url, CollectorRegistry()) for _ in range(2)]
        for one in made:
            ends.push_async_callback(one.close)
        yield made


async def let_through(limiters: list[ValkeyLimiter], key: str) -> int:
    """Of ten calls, of which three fit."""
    answers = await asyncio.gather(*(limiters[n % 2].hit(key, 3, 60.0, 0.0) for n in range(10)))
    return answers.count(ALLOWED)


@pytest.mark.usefixtures("patient")
async def test_limits_are_exact_on_every_node(two: list[ValkeyLimiter]) -> None:
    assert [await let_through(two, key) for key in SUBJECTS] == [3] * len(SUBJECTS)
    assert not any(one.away for one in two)


async def test_a_node_that_is_killed_and_comes_back_counts_for_all_again(
    two: list[ValkeyLimiter], valkey_cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkey, "PAUSE", 0.02)
    valkey_cluster.kill(1)
    try:
        async with asyncio.timeout(10):
            while not two[0].away:
                await asyncio.gather(*(let_through(two, key) for key in SUBJECTS))
    finally:
        valkey_cluster.start(1)
    monkeypatch.setattr(valkey, "PATIENCE", 10.0)
    async with asyncio.timeout(30):
        while not await _exact(two):
            await asyncio.sleep(0.05)
    assert [await let_through(two, f"again-{key}") for key in SUBJECTS] == [3] * len(SUBJECTS)


async def _exact(two: list[ValkeyLimiter]) -> bool:
    for key in SUBJECTS:
        for one in two:
            await one.hit(f"back-{key}", 1000, 60.0, 0.0)
            if one.away:
                return False
    return True
