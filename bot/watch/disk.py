"""The log on its disk: segments that are written, begun anew when they are long or old, and deleted when they are expired.

Decides what a refused write leaves: whole frames only, so that none is hidden by half of another, and none is written twice.
All of it blocks: whoever calls is a thread.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import structlog

from bot.watch import segments
from bot.watch.frames import frames
from bot.watch.segments import Segment

log = structlog.get_logger()

LONGEST = 3600.0
"""Seconds after which a new segment is begun: what is expired goes by whole segments."""
PART = 1024 * 1024
"""Bytes of one write, about, so that a segment does not become much longer than it may."""


class Waiting(NamedTuple):
    """A frame that is to be written."""

    number: int
    data: bytes
    events: int


class Disk:
    def __init__(self, folder: Path, *, days: float, most_bytes: int, now: Callable[[], float]) -> None:
        """`most_bytes`: of all segments together. `now`: Unix seconds."""
        self._folder, self._days, self._most_bytes, self._now = folder, days, most_bytes, now
        self._segment_bytes = max(1024 * 1024, min(64 * 1024 * 1024, most_bytes // 16))
        self._lock: int | None = None
        self._file: int | None = None
        self._segment: Segment | None = None
        self._length = 0
        self.bytes = 0
        """Of all segments, as of the last look."""
        self.last = 0
        """The number of the last frame that was written."""

    @property
    def locked(self) -> bool:
        return self._lock is not None

    def open(self) -> int:
        """Lock the folder; the number of the last frame in it, 0 where there is none.

        Raises Misconfigured where another process holds it, OSError where it cannot be written.
        """
        if self._lock is None:
            self._lock = segments.lock(self._folder)
        there = segments.segments(self._folder)
        self.bytes = segments.size(there)
        last = there[-1].first if there else 0
        if there:
            with there[-1].path.open("rb") as file:
                for frame in frames(file):
                    last = frame.number
        return last

    def write(self, batch: Sequence[Waiting]) -> None:
        """Raises as `open` does; `last` says how far it came."""
        if self._lock is None:
            self.open()
        for part in _parts(batch):
            if self._file is None or self._is_full():
                self._begin(part[0].number)
            self._append(b"".join(one.data for one in part))
            self.last = part[-1].number

    def _append(self, data: bytes) -> None:
        assert self._file is not None
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError:
            self._back_out()
            raise
        self._length += len(data)
        self.bytes += len(data)

    def _is_full(self) -> bool:
        assert self._segment is not None
        old = self._now() * 1000 - self._segment.began_ms > LONGEST * 1000
        return self._length >= self._segment_bytes or old

    def _begin(self, first: int) -> None:
        self._end()
        segment = Segment.named(self._folder, first, self._now())
        self._file = os.open(segment.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        self._segment, self._length = segment, 0
        self.tidy()

    def _back_out(self) -> None:
        """Half a frame hides what comes after it: cut it off, and begin a new segment next time."""
        assert self._file is not None
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self._length)
        if self._length == 0 and self._segment is not None:
            self._segment.path.unlink(missing_ok=True)
        self._end()

    def _end(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file = self._segment = None

    def tidy(self) -> None:
        """Delete what is too old, and the oldest of what is too much; the second is said."""
        there = segments.segments(self._folder)
        before = self._now() - self._days * 86400
        expired, crowded = segments.expired(there, before=before, most_bytes=self._most_bytes)
        for one in (*expired, *crowded):
            one.path.unlink(missing_ok=True)
        kept = there[len(expired) + len(crowded) :]
        if crowded:
            hours = (self._now() - kept[0].began_ms / 1000) / 3600
            log.warning("watch.log_full", deleted=len(crowded), kept_hours=round(hours, 1), most_bytes=self._most_bytes)
        self.bytes = segments.size(kept)

    def close(self) -> None:
        """Give the folder back."""
        self._end()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _parts(batch: Sequence[Waiting]) -> list[Sequence[Waiting]]:
    parts: list[list[Waiting]] = []
    length = PART
    for one in batch:
        if length >= PART:
            parts.append([])
            length = 0
        parts[-1].append(one)
        length += len(one.data)
    return list(parts)
