"""When a call may go out: so many a second, so many altogether, and none while the target asks to be left alone.

Decides pace and budget of one run. Who repeats what after being told to wait is `engine`'s.
"""

from __future__ import annotations

import asyncio


class Spent(Exception):
    """The budget of calls is used up."""


class Meter:
    """Paces evenly: a bucket that holds one token. Calls that wait go in the order in which they came."""

    def __init__(self, *, per_second: float | None, most_calls: int | None, calls: int = 0) -> None:
        """`calls` were made before, of the same budget."""
        self.calls = calls
        self._most = most_calls
        self._apart = 1 / per_second if per_second else 0.0
        self._next = 0.0
        self._held_until = 0.0

    async def call(self) -> None:
        """Wait for this call's turn. Raises Spent where the budget holds no more."""
        if self._most is not None and self.calls >= self._most:
            raise Spent
        self.calls += 1
        now = asyncio.get_running_loop().time
        while (wait := self._held_until - now()) > 0:  # noqa: ASYNC110 — it may have grown meanwhile
            await asyncio.sleep(wait)
        if self._apart:
            mine = max(now(), self._next)
            self._next = mine + self._apart
            if (wait := mine - now()) > 0:
                await asyncio.sleep(wait)

    def hold(self, seconds: float) -> None:
        """No call for so long."""
        self._held_until = max(self._held_until, asyncio.get_running_loop().time() + seconds)

    @property
    def held(self) -> float:
        """Seconds until calls go out again; 0 where they do."""
        return max(0.0, self._held_until - asyncio.get_running_loop().time())


def least(*limits: float | None) -> float | None:
    """Of the limits that there are."""
    return min((limit for limit in limits if limit is not None), default=None)
