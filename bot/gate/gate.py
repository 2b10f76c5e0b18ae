"""The gate: one question, one verdict. Judges by its copy of the rules, counts limits, tells who wants to know.

Decides what holds where the copy is missing or too old. How a question arrives is the protocols'; how the copy is kept
up to date is the feed's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from bot.gate.book import Book
from bot.gate.caller import Caller, Target
from bot.gate.judge import Limit, judge
from bot.gate.limits import InProcess, Limiter, RetryAfter
from bot.gate.verdict import UNKNOWN, UNNAMEABLE, Outcome, Verdict
from bot.incident.words import ActionKind

WINDOW = 60.0
"""Seconds of a rate limit: `per_minute`."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision on real traffic. Ids only: nothing of what was said."""

    at: float
    """Unix seconds."""
    caller: Caller
    verdict: Verdict
    seconds: float
    """How long the decision took."""
    source: str = "gate"

    @property
    def own(self) -> bool:
        """Our own enforcement: what a trigger counts must leave it out, or a block would feed the next one."""
        return self.verdict.own


class Listener(Protocol):
    """Told of every decision on real traffic, at once and in the decision's own time: it returns quickly, and raises nothing."""

    def __call__(self, decided: Decided, /) -> None: ...


@dataclass(frozen=True)
class Outage:
    """What holds while the gate does not know the rules: it never had a copy, or its copy is older than the limit.

    Closed unless said otherwise: a restart during an outage must not lift a block. Of several named targets of one call
    the closed one wins. Rules that are held stay enforced either way.
    """

    open_for: frozenset[Target] = frozenset()
    closed_for: frozenset[Target] = frozenset()
    open_otherwise: bool = False
    too_old_after: float | None = None
    """Seconds; None where a copy never is: new rules are missed, the old ones hold."""

    def too_old(self, age: float | None) -> bool:
        return age is None or (self.too_old_after is not None and age > self.too_old_after)

    def closed(self, caller: Caller) -> bool:
        named: Mapping[bool, Iterable[Target]] = {True: self.closed_for, False: self.open_for}
        for closed, targets in named.items():
            if any(target in targets for target in caller.targets):
                return closed
        return not self.open_otherwise


class Gate:
    """`await gate.decide(caller)`. The book is the feed's to keep up to date."""

    def __init__(
        self,
        book: Book,
        *,
        limiter: Limiter | None = None,
        outage: Outage | None = None,
        listeners: Iterable[Listener] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now`: Unix seconds, for rate limits and events."""
        self.book = book
        self._limiter = limiter or InProcess()
        self._outage = outage or Outage()
        self._listeners = tuple(listeners)
        self._now = now

    async def decide(self, caller: Caller) -> Verdict:
        """The verdict on one call. Raises nothing; waits for nothing but the limiter, and only where a limit stands."""
        began = time.perf_counter()
        verdict = await self._verdict(caller)
        if not caller.probe and self._listeners:
            decided = Decided(self._now(), caller, verdict, time.perf_counter() - began)
            for listener in self._listeners:
                listener(decided)
        return verdict

    def not_ready(self) -> list[str]:
        """Why this gate should get no traffic now, in words; none where it knows its rules."""
        age = self.book.age
        if age is None:
            return ["the rules were not read yet: the store does not answer, or has no policy"]
        return [f"the copy of the rules is {age:.0f} s old"] if self._outage.too_old(age) else []

    async def _verdict(self, caller: Caller) -> Verdict:
        if not caller.nameable:
            return UNNAMEABLE
        judgement = judge(self.book, caller)
        verdict = judgement.verdict
        if verdict.allowed and self._outage.too_old(self.book.age) and self._outage.closed(caller):
            return UNKNOWN
        for limit in judgement.limits:  # the strictest first: what it refuses, the others do not count
            hit = await self._limiter.hit(limit.key, limit.per_minute, WINDOW, self._now())
            if isinstance(hit, RetryAfter):
                return _limited(verdict, limit, hit)
        return verdict


def _limited(verdict: Verdict, limit: Limit, hit: RetryAfter) -> Verdict:
    return replace(
        verdict,
        outcome=Outcome.LIMITED,
        incident=limit.incident,
        measures=(ActionKind.RATE_LIMIT, *verdict.measures),
        retry_after=hit.seconds,
        answer=None,
    )
