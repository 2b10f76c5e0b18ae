"""How the practice AI app hands its events over: in their order, in the background, again and again until they are taken.

Decides that no user waits for it and that none is lost: an event has one id in all its deliveries. What is told is
``ai_events``'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import aiohttp

from bot.practice.shapes import Json

TOGETHER = 500
"""Events of one request."""


@dataclass
class Telling:
    """Everything told since the start is kept, for who wants to look; without an address it goes nowhere."""

    url: str | None = None
    """Of ``POST /events``."""
    token: str | None = None
    wait: float = 0.2
    """seconds before the second try; doubles up to 5"""
    events: list[Json] = field(default_factory=list)
    tries: int = 0
    last_problem: str = ""
    rejected: list[Json] = field(default_factory=list)
    """What the other side said is wrong with single events."""
    _taken: int = 0
    _task: asyncio.Task[None] | None = None

    def tell(self, events: Iterable[Json]) -> None:
        """Keep events and begin to send them."""
        self.events.extend(events)
        if self.url is not None and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._send(self.url), name="practice-events")

    async def _send(self, url: str) -> None:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        timeout = aiohttp.ClientTimeout(total=10)
        while self._taken < len(self.events):  # also what was told while the session closed
            async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
                await self._send_all(session, url)

    async def _send_all(self, session: aiohttp.ClientSession, url: str) -> None:
        wait = self.wait
        while some := self.events[self._taken : self._taken + TOGETHER]:
            self.last_problem = await self._post(session, url, some)
            if not self.last_problem:
                self._taken += len(some)
                wait = self.wait
            else:
                await asyncio.sleep(wait)
                wait = min(wait * 2, 5.0)

    async def _post(self, session: aiohttp.ClientSession, url: str, some: list[Json]) -> str:
        """What kept them from being taken; empty where nothing did."""
        self.tries += 1
        try:
            async with session.post(url, json=some) as response:
                if response.status != 202:
                    return f"HTTP {response.status}"
                self.rejected += (await response.json())["rejected"]
        except (aiohttp.ClientError, TimeoutError) as problem:
            return type(problem).__name__
        return ""

    async def taken(self) -> None:
        """Wait until everything told so far was taken."""
        if self._task is not None:
            await self._task

    async def close(self) -> None:
        """Give up on what is still on its way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
