"""Who waits for what: a version number that every change of the workspace raises, and ways to wait for it.

Decides nothing about what a change is; whoever changes state calls ``touch``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
RECHECK = 0.25  # seconds; a predicate may also look at things outside the workspace, which cannot notify us


class Changes:
    """A counter of changes with waiters."""

    def __init__(self) -> None:
        self.version = 0
        self._waiters: set[asyncio.Future[None]] = set()

    def touch(self) -> None:
        """Say that something changed."""
        self.version += 1
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def after(self, version: int, timeout: float) -> int:  # noqa: ASYNC109  # the name callers know
        """Wait until something changed after ``version`` or ``timeout`` seconds went by; answers the version."""
        if self.version <= version:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            await asyncio.wait([waiter], timeout=max(0.0, timeout))
            self._waiters.discard(waiter)
            waiter.cancel()
        return self.version

    async def until(self, predicate: Callable[[], T], timeout: float) -> T:  # noqa: ASYNC109  # the name callers know
        """Wait until ``predicate()`` is true and answer its value; raises ``TimeoutError`` otherwise."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while True:
            seen = self.version
            if value := predicate():
                return value
            left = end - loop.time()
            if left <= 0:
                raise TimeoutError(f"the practice workspace waited {timeout} s for something that did not happen")
            await self.after(seen, min(left, RECHECK))
