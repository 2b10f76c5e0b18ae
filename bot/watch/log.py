"""The log of what was seen: written behind the counting, for a restart, for tuning, for `firsthour events tail`.

Decides when what was appended is handed to the operating system (at most some hundredths of a second later: what a
`kill -9` loses), and that a disk that cannot be written stops nothing: the log has a hole then, and says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import structlog

from bot.incident.errors import Misconfigured
from bot.watch import segments
from bot.watch.frames import FrameKind, framed, frames
from bot.watch.segments import Segment

log = structlog.get_logger()

SPACING = 0.02
"""Seconds between two writes: many batches become one."""
AGAIN = 1.0
"""Seconds until a disk that refused is tried again."""
MOST_WAITING = 64 * 1024 * 1024
"""Bytes that wait for a disk that is slow or refuses; above it the oldest are given up, and counted."""
LONGEST = 3600.0
"""Seconds after which a new segment is begun: what is expired goes by whole segments."""
ENDS_WITHIN = 1.0
"""Seconds of a stop for what still waits."""


class _Waiting(NamedTuple):
    number: int
    data: bytes
    events: int


class EventLog:
    """One for a folder. `append` never waits and never fails; what goes wrong behind it is in `trouble`."""

    def __init__(self, folder: Path, *, days: float, most_bytes: int, now: Callable[[], float]) -> None:
        """`now`: Unix seconds. `most_bytes`: of all segments together."""
        self.folder = folder
        self._days, self._most_bytes, self._now = days, most_bytes, now
        self._segment_bytes = max(1024 * 1024, min(64 * 1024 * 1024, most_bytes // 16))
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._there, self._stopping, self._written = asyncio.Event(), asyncio.Event(), asyncio.Condition()
        self._lock: int | None = None
        self._file: int | None = None
        self._segment: Segment | None = None
        self._length = 0
        self._writing: asyncio.Task[None] | None = None
        self.number = 0
        """Of the frame that was appended last. It grows, also over restarts."""
        self.trouble: str | None = None
        """Why nothing is being written, in words; None where all is well."""
        self.unwritten = 0
        """Events that were counted and are in no log, since the start."""
        self.bytes = 0
        """On disk, as of the last look."""
        self.appended = 0
        """Bytes since the start, written or not."""

    async def start(self) -> None:
        """Raises Misconfigured where another process writes there. A folder that cannot be written is no reason not to start."""
        last = 0
        try:
            last = await asyncio.to_thread(self._open)
        except OSError as error:
            self._refused(error)
        self.number = max(last, int(self._now() * 1e6))  # so that they grow though the folder could not be read
        self._writing = asyncio.create_task(self._write_on(), name="watch-log")

    def append(self, kind: FrameKind, payload: bytes, *, events: int = 0) -> int:
        """Returns the frame's number. `events`: how many are in it."""
        self.number += 1
        data = framed(self.number, kind, payload)
        self._waiting.append(_Waiting(self.number, data, events))
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
        return self._lock is not None

    async def tidy(self) -> None:
        """Delete what is expired, also where nothing comes in."""
        if self.ours:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self._tidy)

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
        await asyncio.to_thread(self._close)

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
        try:
            await asyncio.to_thread(self._write, batch)
        except (OSError, Misconfigured) as error:
            self._refused(error)
            self._there.set()
            return False
        for _ in batch:
            if self._waiting and self._waiting[0].number <= batch[-1].number:
                self._waiting_bytes -= len(self._waiting.popleft().data)
        if self.trouble is not None:
            log.info("watch.log_again", unwritten=self.unwritten)
            self.trouble = None
        return True

    def _refused(self, error: Exception) -> None:
        why = getattr(error, "strerror", None) or str(error)
        if self.trouble is None:  # once, not every second
            log.error("watch.log_refused", folder=str(self.folder), why=why)
        self.trouble = why

    # From here on: in a thread.

    def _open(self) -> int:
        """Lock the folder; the number of the last frame in it, 0 where there is none."""
        if self._lock is None:
            self._lock = segments.lock(self.folder)
        there = segments.segments(self.folder)
        self.bytes = segments.size(there)
        last = there[-1].first if there else 0
        if there:
            with there[-1].path.open("rb") as file:
                for frame in frames(file):
                    last = frame.number
        return last

    def _write(self, batch: Sequence[_Waiting]) -> None:
        if self._lock is None:
            self._open()
        for part in _parts(batch):
            if self._file is None or self._segment_is_full():
                self._begin(part[0].number)
            assert self._file is not None
            data = b"".join(one.data for one in part)
            try:
                _all_of(self._file, data)
            except OSError:
                self._back_out()
                raise
            self._length += len(data)
            self.bytes += len(data)

    def _segment_is_full(self) -> bool:
        assert self._segment is not None
        old = self._now() * 1000 - self._segment.began_ms > LONGEST * 1000
        return self._length >= self._segment_bytes or old

    def _begin(self, first: int) -> None:
        self._end_segment()
        segment = Segment.named(self.folder, first, self._now())
        self._file = os.open(segment.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        self._segment, self._length = segment, 0
        self._tidy()

    def _back_out(self) -> None:
        """Half a frame hides what comes after it: cut it off, and begin a new segment next time."""
        assert self._file is not None
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self._length)
        if self._length == 0 and self._segment is not None:
            self._segment.path.unlink(missing_ok=True)
        self._end_segment()

    def _end_segment(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file = self._segment = None

    def _tidy(self) -> None:
        there = segments.segments(self.folder)
        before = self._now() - self._days * 86400
        expired, crowded = segments.expired(there, before=before, most_bytes=self._most_bytes)
        for one in (*expired, *crowded):
            one.path.unlink(missing_ok=True)
        if crowded:
            kept_from = next(one.began_ms for one in there if one not in expired and one not in crowded)
            log.warning(
                "watch.log_full", deleted=len(crowded), kept_hours=round((self._now() - kept_from / 1000) / 3600, 1)
            )
        self.bytes = segments.size([one for one in there if one not in expired and one not in crowded])

    def _close(self) -> None:
        self._end_segment()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _parts(batch: Sequence[_Waiting]) -> list[Sequence[_Waiting]]:
    """Some megabytes each, so that a segment does not become much longer than it may."""
    parts: list[list[_Waiting]] = []
    length = PART
    for one in batch:
        if length >= PART:
            parts.append([])
            length = 0
        parts[-1].append(one)
        length += len(one.data)
    return list(parts)


PART = 1024 * 1024


def _all_of(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]
