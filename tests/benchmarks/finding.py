"""From the event that completes the evidence to its alert in the store, while 100,000 other events a second are counted.

One process, one core: the events are made, counted and logged, and the alerts committed to SQLite, on the same loop. Four
times a second somebody leaks a secret; the text is scanned. The bar is a p99 of 250 ms (design §9, detection). Beside it:
the longest that the loop was held, and what the same findings take with nothing else going on.

Making an event takes about a microsecond, two thirds of what decoding it from NDJSON would: it stands in for that, a tenth of
the loop's time at this rate. So it is not done in advance, though a commit waits for it too.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry

from bot.app import keep_what_was_made
from bot.detection.event import Data, Event, Kind, Stage
from bot.detection.finding import Finding
from bot.settings import Settings
from bot.store import Store, schema
from bot.watch.process import RunningWatch
from tests import opened as case
from tests.benchmarks.stats import high

RATE, BATCH, SECONDS = 100_000, 500, 10.0
EVERY = 0.25
USERS = 100_000
SEED = 5


async def measure() -> list[str]:
    return [await _run("with nothing else", rate=0), await _run(f"at {RATE:,} events/s", rate=RATE)]


async def _run(title: str, *, rate: int) -> str:
    with tempfile.TemporaryDirectory(prefix="firsthour-bench-") as folder:
        store = Store(f"sqlite:///{folder}/firsthour.db")
        await schema.upgrade(store)
        running = RunningWatch(case.context(store), Settings(FIRSTHOUR_EVENTS=Path(folder) / "e"), CollectorRegistry())
        await running.start()
        keep_what_was_made()
        bench = Bench(running)
        try:
            counted = await bench.run(rate)
        finally:
            await running.stop()
            await store.close()
    took = sorted(bench.took)
    return (
        f"{title}: {len(took)} findings, p50 {high(took, 50) * 1e3:.0f} ms, p99 {high(took, 99) * 1e3:.0f} ms, "
        f"max {took[-1] * 1e3:.0f} ms; {counted / SECONDS:,.0f} events/s, loop held at most {bench.held * 1e3:.0f} ms"
    )


class Bench:
    def __init__(self, running: RunningWatch) -> None:
        self._take = running.taker.take
        self._sent: dict[str, float] = {}
        self.took: list[float] = []
        self.held = 0.0
        queue = running.taker.findings
        report = queue._report

        async def timed(findings: Sequence[Finding]) -> str:
            outcome = await report(findings)
            now = time.perf_counter()
            self.took += [now - self._sent[one.subject_id or ""] for one in findings]
            return outcome

        queue._report = timed

    async def run(self, rate: int) -> int:
        watching = asyncio.create_task(self._watch_loop())
        leaking = asyncio.create_task(self._leak())
        counted = await self._load(rate) if rate else 0
        await leaking
        async with asyncio.timeout(30):
            while len(self.took) < len(self._sent):
                await asyncio.sleep(0.01)
        watching.cancel()
        return counted

    async def _load(self, rate: int) -> int:
        """Batches on time; one that is late is sent at once."""
        events, began, sent = _events(), time.perf_counter(), 0
        while (now := time.perf_counter()) - began < SECONDS:
            if sent >= (now - began) * rate:
                await asyncio.sleep(0.001)
                continue
            await self._take([next(events) for _ in range(BATCH)])
            sent += BATCH
        return sent

    async def _leak(self) -> None:
        for number in range(int(SECONDS / EVERY)):
            await asyncio.sleep(EVERY)
            user = f"leaked-to-{number}"
            leak = Event(
                kind=Kind.LLM_CALL, occurred_at=time.time(), event_id=f"leak-{number}", user_id=user, app="shop",
                stage=Stage.OUTPUT, delivered=True, text=f"{'An answer of a kilobyte. ' * 40}{_token(number)}",
            )  # fmt: skip
            self._sent[user] = time.perf_counter()
            await self._take([leak])

    async def _watch_loop(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            self.held = max(self.held, time.perf_counter() - before - 0.001)


def _token(number: int) -> str:
    return "AKIA" + "".join(random.Random(number).choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))


def _events() -> Iterator[Event]:
    """Queries and calls of many users, the busiest of them very busy (Zipf 1.1)."""
    chance = random.Random(SEED)
    weights = [1 / (rank**1.1) for rank in range(1, USERS + 1)]
    users = [f"user-{n}" for n in chance.choices(range(USERS), weights, k=200_000)]
    results = [f"{n:064x}" for n in range(64)]  # few enough that nobody extracts in bulk
    number = 0
    while True:
        for user in users:
            number += 1
            if number % 2:
                data = Data(result_sha256=results[number % 64], ok=True)
                yield Event(
                    kind=Kind.DATA_QUERY, occurred_at=time.time(), event_id=f"{number}", user_id=user, app="shop",
                    data=data,
                )  # fmt: skip
            else:
                yield Event(
                    kind=Kind.LLM_CALL, occurred_at=time.time(), event_id=f"{number}", user_id=user, app="shop",
                    stage=Stage.OUTPUT, delivered=True,
                )  # fmt: skip
