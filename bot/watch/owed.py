"""Events that wait while the states are out of reach: accepted, and counted once Valkey is back.

Decides how many may wait, and that they are counted in the order in which they came.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import structlog

from bot.detection.event import Seen
from bot.watch.states import States, StatesAway

log = structlog.get_logger()

MOST = 200_000
"""Events. Above it senders are told to send again."""
AGAIN = 0.5
"""Seconds until states that are away are tried again."""
ENDS_WITHIN = 1.0
"""Seconds of a stop for what waits: Valkey may just have come back."""


class _Step(NamedTuple):
    seen: list[Seen]
    known_new: bool
    """They went through `new` already."""


class Owed:
    """Of one watch. What waits is handed in again exactly as it was, so that what was counted in part is known again."""

    def __init__(self, states: States, counted: Callable[[list[Seen]], Awaitable[None]], turn: asyncio.Lock) -> None:
        """`counted` counts one step; it may raise StatesAway. `turn`: of the watch."""
        self._states, self._counted, self._turn = states, counted, turn
        self._steps: deque[_Step] = deque()
        self._events = 0
        self._paying: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """Events."""
        return self._events

    def full(self, more: int) -> bool:
        return self._events > 0 and self._events + more > MOST

    def add(self, seen: list[Seen], *, known_new: bool) -> int:
        """Returns how many they are."""
        self._steps.append(_Step(seen, known_new))
        self._events += len(seen)
        if self._paying is None or self._paying.done():
            self._paying = asyncio.create_task(self._pay(), name="watch-owed")
        return len(seen)

    async def stop(self) -> None:
        if self._paying is not None and not self._paying.done():
            self._paying.cancel()
            await asyncio.gather(self._paying, return_exceptions=True)
            with contextlib.suppress(StatesAway, TimeoutError):
                async with asyncio.timeout(ENDS_WITHIN), self._turn:
                    await self._pay_all()
        if self._events:
            log.error("watch.events_lost", count=self._events, why="Valkey was away")

    async def _pay(self) -> None:
        log.warning("watch.states_away")
        while self._steps:
            await asyncio.sleep(AGAIN)
            async with self._turn:
                with contextlib.suppress(StatesAway):
                    await self._pay_all()
        log.info("watch.states_back")

    async def _pay_all(self) -> None:
        while self._steps:
            seen, known_new = self._steps[0]
            if not known_new:
                new = await self._states.new([one.event for one in seen])
                self._events -= len(new) - sum(new)
                seen = [one for one, is_new in zip(seen, new, strict=True) if is_new]
                self._steps[0] = _Step(seen, known_new=True)
            await self._counted(seen)
            self._steps.popleft()
            self._events -= len(seen)
