"""Our clock as the watch needs it: Unix seconds that never go back.

An event is believed to be at most a minute ahead of our clock (`bot.detection.keys`). Were that set back by an hour, every
event would be taken for one of an hour ago, and be too late for each window that was open before.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

log = structlog.get_logger()

WORTH_TELLING = 1.0
"""Seconds."""


class Steady:
    """As the system's clock, until that is set back; from then on as much later as the system has run since."""

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._told, self._at = wall(), monotonic()
        self._ahead = 0.0

    def __call__(self) -> float:
        at, wall = self._monotonic(), self._wall()
        now = max(wall, self._told + at - self._at)
        self._told, self._at = now, at
        if abs(now - wall - self._ahead) > WORTH_TELLING:
            self._ahead = now - wall
            log.warning("watch.clock_set_back", ahead_seconds=round(self._ahead, 1))
        return now
