"""Rate limits: at most so many calls in any window, sliding and exact. In this process; `bot.gate.valkey` across several.

Decides whether one more call fits. Which calls are counted together is the judgement's.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Protocol

SWEEP = 2
"""Expired counts thrown away with each hit: more than a hit can add, so memory holds what one window holds."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """It fits, and is counted."""


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """It does not fit, and is not counted: who is refused does not wait longer for having tried."""

    seconds: float


Hit = Allowed | RetryAfter
ALLOWED = Allowed()


class Limiter(Protocol):
    """One count for each key. Raises nothing: an implementation out of reach counts by itself."""

    async def hit(self, key: str, limit: int, window_seconds: float, now: float) -> Hit:
        """One call at `now` (seconds), of which `limit` fit into any `window_seconds`. `limit` 0 lets none through."""
        ...


class InProcess:
    """Counts kept here: exact for one process. Only calls that were let through are kept."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, tuple[float, deque[float]]] = OrderedDict()
        """By key: when the last of them leaves the window, and their times. In the order of the last call let through
        (of a plain `dict`, whose first keys keep being taken out, the first one that is left has to be searched for)."""

    def __len__(self) -> int:
        return len(self._calls)

    async def hit(self, key: str, limit: int, window_seconds: float, now: float) -> Hit:
        self._sweep(now)
        if limit <= 0:
            return RetryAfter(window_seconds)
        _, calls = self._calls.get(key) or (0.0, deque[float]())
        while calls and not now - window_seconds < calls[0] <= now:  # older than the window, or the clock went back
            calls.popleft()
        if len(calls) >= limit:
            return RetryAfter(calls[-limit] + window_seconds - now)
        calls.append(now)
        self._calls[key] = (now + window_seconds, calls)
        self._calls.move_to_end(key)
        return ALLOWED

    def _sweep(self, now: float) -> None:
        for _ in range(SWEEP):
            oldest = next(iter(self._calls), None)
            if oldest is None or self._calls[oldest][0] > now:
                return
            del self._calls[oldest]
