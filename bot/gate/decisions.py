"""Who is told of decisions: Prometheus, and a bounded outbox from which events go on to detection.

Decides that nobody who listens can slow the gate down: what does not fit is dropped, and counted. What an event makes of a
decision is the reader's of the outbox.
"""

from __future__ import annotations

import asyncio
from collections import deque

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bot.gate.book import Book
from bot.gate.gate import Decided

SECONDS = (0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.005, 0.02)
MOST = 10_000
"""Decisions that wait for the reader of the outbox: two seconds of a gate under full load."""


class Counted:
    """A listener that counts. Labels have fixed sets of values: nothing that a caller writes becomes one."""

    def __init__(self, registry: CollectorRegistry, book: Book) -> None:
        self._decisions = Counter(
            "firsthour_gate_decisions", "Decisions on real traffic.", ["via", "stage", "outcome", "own"],
            registry=registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "firsthour_gate_decision_seconds", "How long one decision took.", buckets=SECONDS, registry=registry
        )
        age = Gauge(
            "firsthour_gate_copy_age_seconds", "Age of the copy of the rules; -1 without one.", registry=registry
        )
        age.set_function(lambda: -1.0 if book.age is None else book.age)
        Gauge("firsthour_gate_rules", "Rules in force.", registry=registry).set_function(lambda: len(book))
        self._by_label: dict[tuple[str, str, str, bool], Counter] = {}

    def __call__(self, decided: Decided) -> None:
        caller, verdict = decided.caller, decided.verdict
        labels = (caller.via, caller.stage.value, verdict.outcome.value, verdict.own)
        counter = self._by_label.get(labels)
        if counter is None:
            counter = self._by_label[labels] = self._decisions.labels(*labels[:3], str(verdict.own).lower())
        counter.inc()
        self._seconds.observe(decided.seconds)


class Outbox:
    """A listener that keeps decisions for one reader. Where the reader does not keep up, the newest are dropped."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._waiting: deque[Decided] = deque()
        self._there = asyncio.Event()
        self.dropped = 0
        """How many did not fit, since the start."""

    def __call__(self, decided: Decided) -> None:
        if len(self._waiting) >= self._most:
            self.dropped += 1
            return
        self._waiting.append(decided)
        self._there.set()

    async def take(self, most: int = 500) -> list[Decided]:
        """The oldest that wait, at least one, in their order."""
        await self._there.wait()
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        if not self._waiting:
            self._there.clear()
        return taken
