"""Events that wait while the states are out of reach: accepted, and counted once Valkey is back.

Decides how many may wait, that they are counted in the order in which they came, and that a process that dies meanwhile loses
none: they lie in the log as owed until the log says that they were paid. What a start reads of it is `resume`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec
import structlog

from bot.detection.event import Seen
from bot.watch.frames import FrameKind
from bot.watch.log import EventLog
from bot.watch.states import States, StatesAway

log = structlog.get_logger()

MOST = 200_000
"""Events. Above it senders are told to send again."""
AGAIN = 0.5
"""Seconds until states that are away are tried again."""
ENDS_WITHIN = 1.0
"""Seconds of a stop for what waits: Valkey may just have come back. And as long for the log to have the rest."""


class _Step(NamedTuple):
    number: int
    """Of its frame in the log."""
    seen: list[Seen]
    known_new: bool
    """They went through `new` already."""


class Owed:
    """Of one watch. What waits is handed in again exactly as it was, so that what was counted in part is known again."""

    def __init__(
        self,
        states: States,
        counted: Callable[[list[Seen], bytes], Awaitable[None]],
        turn: asyncio.Lock,
        events: EventLog,
    ) -> None:
        """`counted` counts one step, of which it is given the packed form too; it may raise StatesAway. `turn`: of the watch."""
        self._states, self._counted, self._turn, self._log = states, counted, turn, events
        self._steps: deque[_Step] = deque()
        self._events = 0
        self._paying: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """Events."""
        return self._events

    @property
    def since(self) -> int:
        """The number of the oldest frame that is owed; 0 where none is."""
        return self._steps[0].number if self._steps else 0

    def full(self, more: int) -> bool:
        return self._events > 0 and self._events + more > MOST

    def add(self, seen: list[Seen], packed: bytes, *, known_new: bool) -> None:
        if seen:
            if not self._steps:
                log.warning("watch.states_away")
            number = self._log.append(FrameKind.OWED, packed)
            self._wait(_Step(number, seen, known_new))

    def again(self, number: int, seen: list[Seen]) -> None:
        """What an earlier process owed, as it lies in the log under this number. The oldest come first."""
        self._wait(_Step(number, seen, known_new=False))

    async def stop(self) -> None:
        """Its caller has the turn, and keeps it."""
        if self._paying is not None and not self._paying.done():
            self._paying.cancel()
            await asyncio.gather(self._paying, return_exceptions=True)
            with contextlib.suppress(StatesAway, TimeoutError):
                async with asyncio.timeout(ENDS_WITHIN):
                    await self._pay_all()
        if self._events:
            await self._leave()

    async def _leave(self) -> None:
        """To the next start, which finds them in the log."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ENDS_WITHIN):
                if await self._log.written():
                    log.warning("watch.events_left", count=self._events, why="Valkey was away")
                    return
        log.error("watch.events_lost", count=self._events, why="Valkey was away, and the log cannot be written")

    def _wait(self, step: _Step) -> None:
        self._steps.append(step)
        self._events += len(step.seen)
        if self._paying is None or self._paying.done():
            self._paying = asyncio.create_task(self._pay(), name="watch-owed")

    async def _pay(self) -> None:
        while self._steps:
            await asyncio.sleep(AGAIN)
            async with self._turn:
                with contextlib.suppress(StatesAway):
                    await self._pay_all()
        log.info("watch.states_back")

    async def _pay_all(self) -> None:
        while self._steps:
            number, seen, known_new = self._steps[0]
            if not known_new:
                new = await self._states.new([one.event for one in seen])
                self._events -= len(new) - sum(new)
                seen = [one for one, is_new in zip(seen, new, strict=True) if is_new]
                self._steps[0] = _Step(number, seen, known_new=True)
            await self._counted(seen, msgspec.msgpack.encode(seen))
            # Nothing comes between the two: a crash that leaves the events in the log, and not this, is next to impossible;
            # they would lie in it twice then, and still count once.
            self._log.append(FrameKind.PAID, msgspec.msgpack.encode(number))
            self._steps.popleft()
            self._events -= len(seen)
