"""How long each stage of a step takes, so that it is known which one is slow.

Decides that one step in `EVERY` is measured: to observe three values takes some microseconds, to take an event that comes alone
some sixty.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

EVERY = 64
Stage = Literal["known", "scan", "count", "log", "commit"]
"""Of a step: which events were known before, the scan of the others, counting them. Behind it: a write of the log to the disk,
and a transaction that commits findings; of these two every one is measured."""


class Laps:
    """One for a watch, which does one step at a time."""

    def __init__(self, observe: Callable[[Stage, float], None]) -> None:
        self._observe = observe
        self._steps = 0
        self._at: float | None = None

    def begin(self) -> None:
        """A step begins; what was not ended of the one before is forgotten."""
        self._at = None if self._steps % EVERY else time.perf_counter()
        self._steps += 1

    def end(self, stage: Stage) -> None:
        """The stage that began with the step, or with the end of the one before."""
        if self._at is not None:
            now = time.perf_counter()
            self._observe(stage, now - self._at)
            self._at = now
