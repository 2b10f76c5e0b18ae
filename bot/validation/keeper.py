"""Trials on their way to being stored: in batches, one at a time, while others go on.

Decides how many may wait. Where they are stored is the caller's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

from bot.validation.plan import Tried

Keep = Callable[[Sequence[Tried]], Awaitable[None]]
BATCH, WAITING = 500, 2000
"""Trials in one batch, and trials that wait: beyond them the run waits for the store."""


class Keeper:
    """As a context: at its end everything that was put is kept. What `keep` raises ends the block and comes through."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._waiting: asyncio.Queue[Tried | None] = asyncio.Queue(WAITING)
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._group.create_task(self._work())
        return self

    async def put(self, tried: Tried) -> None:
        await self._waiting.put(tried)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self._waiting.put(None)
        except asyncio.CancelledError as cancelled:  # `keep` failed while this waited
            kind, error, trace = type(cancelled), cancelled, cancelled.__traceback__
        try:
            await self._group.__aexit__(kind, error, trace)
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _work(self) -> None:
        while (first := await self._waiting.get()) is not None:
            batch: list[Tried] = [first]
            end = False
            while len(batch) < BATCH and not end and not self._waiting.empty():
                more = self._waiting.get_nowait()
                end = more is None
                batch += [more] if more is not None else []
            await self._keep(batch)
            if end:
                return
