"""Events that are sent one by one, counted together: those of one turn of the loop, and those that come while others count.

Decides which events become one batch. To take a batch of one costs as much as to take twenty in one; each sender is still
answered for its own event, once that is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bot.detection.event import Event

Take = Callable[[Sequence[Event], str], Awaitable[Sequence[bool]]]


@dataclass(eq=False)
class _Batch:
    events: list[Event] = field(default_factory=list)
    answers: list[asyncio.Future[bool]] = field(default_factory=list)

    def counted(self, how: asyncio.Task[Sequence[bool]]) -> None:
        """Each sender is told what became of its own event, or how the whole batch ended."""
        for place, answer in enumerate(self.answers):
            if answer.done():  # its sender is gone
                continue
            if how.cancelled():
                answer.cancel()
            elif error := how.exception():
                answer.set_exception(error)
            else:
                answer.set_result(how.result()[place])


class Singles:
    """Of one watch."""

    def __init__(self, take: Take, turn: asyncio.Lock) -> None:
        """`take` counts the events of one route, and says of each whether it is new; its caller has the turn of the watch."""
        self._take, self._turn = take, turn
        self._open: dict[str, _Batch] = {}
        """By route, what waits for its turn."""
        self._tasks: set[asyncio.Task[Sequence[bool]]] = set()

    async def take(self, event: Event, via: str) -> bool:
        """Whether it is new. Raises what `take` raises, and CancelledError where nothing is counted any more.

        A sender that is cut off takes nothing along: the batch is counted, its own event too.
        """
        batch = self._open.get(via)
        if batch is None:
            batch = self._open[via] = _Batch()
            task = asyncio.create_task(self._count(batch, via), name="watch-singles")
            self._tasks.add(task)
            task.add_done_callback(batch.counted)
            task.add_done_callback(self._tasks.discard)
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        batch.events.append(event)
        batch.answers.append(answer)
        return await answer

    async def stop(self) -> None:
        """Its caller has the turn, and keeps it: what waits for it is cut off."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _count(self, batch: _Batch, via: str) -> Sequence[bool]:
        async with self._turn:
            del self._open[via]  # whoever comes from here on is of the next one
            return await self._take(batch.events, via)
