"""The states of detection in a real cluster: the checks of make test, a slot that moves, and a node that is killed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import redis
from redis.crc import key_slot

from bot.watch import valkey
from tests.integration.systems.valkey_cluster import Cluster
from tests.store.test_runner import until
from tests.watch.counting import call, in_one_process
from tests.watch.test_states import (
    patient,
    test_three_replicas_at_once_find_the_same_subjects,
    test_three_replicas_find_what_one_process_finds,
    three,
)
from tests.watch.test_states_outage import into, test_what_another_version_wrote_begins_anew_and_is_counted
from tests.watch.test_states_valkey import test_a_finding_that_nobody_heard_of_is_told_again_with_its_event
from tests.watch.valkeys import ids, replicas

__all__ = [
    "patient",
    "test_a_finding_that_nobody_heard_of_is_told_again_with_its_event",
    "test_three_replicas_at_once_find_the_same_subjects",
    "test_three_replicas_find_what_one_process_finds",
    "test_what_another_version_wrote_begins_anew_and_is_counted",
    "three",
]


@pytest.fixture
def server(valkey_cluster: Cluster) -> Cluster:
    return valkey_cluster


@pytest.fixture
def control(valkey_cluster: Cluster) -> Iterator[redis.RedisCluster]:
    """Empty at the beginning."""
    with redis.RedisCluster("127.0.0.1", port=valkey_cluster.port) as client:
        client.flushall()
        yield client


async def test_a_slot_that_moves_to_another_node_takes_its_counts_along(
    server: Cluster, control: redis.RedisCluster
) -> None:
    seen = [call(4 * n) for n in range(9)]
    async with replicas(server.port) as [one]:
        found = ids(await one.take(seen[:4]))
        for key in list(control.scan_iter()):
            _move(server, control, key)
        found += ids(await one.take(seen[4:]))
    assert found == in_one_process(seen)


def _move(server: Cluster, control: redis.RedisCluster, key: bytes) -> None:
    """As `valkey-cli --cluster reshard` does it (valkey.io/topics/cluster-tutorial)."""
    slot = key_slot(key)
    node = control.get_node_from_key(key)
    old = next(n for n, each in enumerate(server.nodes) if node is not None and each.port == node.port)
    new = (old + 1) % len(server.nodes)
    ids_of = [server.ask(n, "CLUSTER", "MYID").decode() for n in range(len(server.nodes))]
    server.ask(new, "CLUSTER", "SETSLOT", slot, "IMPORTING", ids_of[old])
    server.ask(old, "CLUSTER", "SETSLOT", slot, "MIGRATING", ids_of[new])
    server.ask(old, "MIGRATE", "127.0.0.1", server.nodes[new].port, key.decode(), 0, 5000)
    for n in (new, old):
        server.ask(n, "CLUSTER", "SETSLOT", slot, "NODE", ids_of[new])


async def test_a_node_that_is_killed_and_comes_back_costs_no_event(
    server: Cluster, control: redis.RedisCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkey, "PATIENCE", 60.0)
    seen = [call(n) for n in range(240)]
    found: list[str] = []
    async with replicas(server.port, server.nodes[1].port) as two:
        counting = [asyncio.create_task(into(found, one, seen[n::2])) for n, one in enumerate(two)]
        await until(lambda: len(found) > 10)
        server.kill(2)
        await asyncio.to_thread(server.start, 2)
        await asyncio.gather(*counting)
    assert len(set(found)) == len(in_one_process(seen))
