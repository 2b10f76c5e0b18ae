"""The log of what was seen: written behind the counting, for a restart, for tuning, for `firsthour events tail`.

Decides when what was appended is handed to the operating system (at most some hundredths of a second later: what a
`kill -9` loses), and that a disk that cannot be written stops nothing: the log has a hole then, and says so. How it lies on
the disk is `disk`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import structlog

from bot.incident.errors import Misconfigured
from bot.watch.disk import Disk, Waiting
from bot.watch.frames import FrameKind, framed

log = structlog.get_logger()

SPACING = 0.02
"""Seconds between two writes: many batches become one."""
AGAIN = 1.0
"""Seconds until a disk that refused is tried again."""
MOST_WAITING = 64 * 1024 * 1024
"""Bytes that wait for a disk that is slow or refuses; above it the oldest are given up, and counted."""
ENDS_WITHIN = 1.0
"""Seconds of a stop for what still waits."""


class EventLog:
    """One for a folder. `append` never waits and never fails; what goes wrong behind it is in `trouble`."""

    def __init__(self, folder: Path, *, days: float, most_bytes: int, now: Callable[[], float]) -> None:
        """`now`: Unix seconds. `most_bytes`: of all segments together."""
        self.folder = folder
        self._now = now
        self._disk = Disk(folder, days=days, most_bytes=most_bytes, now=now)
        self._waiting: deque[Waiting] = deque()
        self._waiting_bytes = 0
        self._there, self._stopping, self._written = asyncio.Event(), asyncio.Event(), asyncio.Condition()
        self._writing: asyncio.Task[None] | None = None
        self.number = 0
        """Of the frame that was appended last. It grows, also over restarts."""
        self.trouble: str | None = None
        """Why nothing is being written, in words; None where all is well."""
        self.unwritten = 0
        """Events that were counted and are in no log, since the start."""
        self.appended = 0
        """Bytes since the start, written or not."""
        self.wrote: Callable[[float], None] = lambda seconds: None
        """Told how long each write to the disk took."""

    async def start(self) -> None:
        """Raises Misconfigured where another process writes there. A folder that cannot be written is no reason not to start."""
        last = 0
        try:
            last = await asyncio.to_thread(self._disk.open)
        except OSError as error:
            self._refused(error)
        self.number = max(last, int(self._now() * 1e6))  # so that they grow though the folder could not be read
        self._writing = asyncio.create_task(self._write_on(), name="watch-log")

    def append(self, kind: FrameKind, payload: bytes, *, events: int = 0) -> int:
        """Returns the frame's number. `events`: how many are in it."""
        self.number += 1
        data = framed(self.number, kind, payload)
        self._waiting.append(Waiting(self.number, data, events))
        self._waiting_bytes += len(data)
        self.appended += len(data)
        while self._waiting_bytes > MOST_WAITING:
            lost = self._waiting.popleft()
            self._waiting_bytes -= len(lost.data)
            self.unwritten += lost.events
        self._there.set()
        return self.number

    @property
    def ours(self) -> bool:
        """The folder is there and locked: snapshots may be written into it."""
        return self._disk.locked

    @property
    def bytes(self) -> int:
        """On disk, as of the last look."""
        return self._disk.bytes

    async def tidy(self) -> None:
        """Delete what is expired, also where nothing comes in."""
        if self.ours:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self._disk.tidy)

    async def written(self) -> bool:
        """Once all that was appended is with the operating system, True; False where it is refused."""
        async with self._written:
            await self._written.wait_for(lambda: not self._waiting or self.trouble is not None)
        return not self._waiting

    async def stop(self) -> None:
        """Write what waits, and give the folder back."""
        self._stopping.set()
        self._there.set()
        if self._writing is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._writing, ENDS_WITHIN)
        if left := sum(one.events for one in self._waiting):
            log.error("watch.log_left_unwritten", count=left, why=self.trouble)
        await asyncio.to_thread(self._disk.close)

    async def _write_on(self) -> None:
        while not (self._stopping.is_set() and not self._waiting):
            await self._there.wait()
            refused = not await self._write_once()
            async with self._written:
                self._written.notify_all()
            if self._stopping.is_set() and refused:
                return
            with contextlib.suppress(TimeoutError):  # spaced, but a stop is not waited for
                await asyncio.wait_for(self._stopping.wait(), AGAIN if refused else SPACING)

    async def _write_once(self) -> bool:
        self._there.clear()
        batch = tuple(self._waiting)
        error: Exception | None = None
        began = time.perf_counter()
        try:
            await asyncio.to_thread(self._disk.write, batch)
        except (OSError, Misconfigured) as refused:
            error = refused
        self.wrote(time.perf_counter() - began)
        while (
            self._waiting and self._waiting[0].number <= self._disk.last
        ):  # of a batch that was refused, a part may be there
            self._waiting_bytes -= len(self._waiting.popleft().data)
        if error is not None:
            self._refused(error)
            self._there.set()
            return False
        if self.trouble is not None:
            log.info("watch.log_again", unwritten=self.unwritten)
            self.trouble = None
        return True

    def _refused(self, error: Exception) -> None:
        why = getattr(error, "strerror", None) or str(error)
        if self.trouble is None:  # once, not every second
            log.error("watch.log_refused", folder=str(self.folder), why=why)
        self.trouble = why
