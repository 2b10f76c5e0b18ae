"""The folder of the watch: its segments of the log, its snapshots, and that one process at a time writes there.

Decides names and what is deleted when. What stands in the files is `log`'s and `snapshots`'.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from bot.incident.errors import Misconfigured

NAME = re.compile(r"seen-(\d{16})-(\d{13})\.log")


class Segment(NamedTuple):
    """A file of the log. Its name says which frame comes first in it, and when that was written."""

    first: int
    began_ms: int
    """Unix time of our clock, in milliseconds."""
    path: Path

    @classmethod
    def named(cls, folder: Path, first: int, began: float) -> Segment:
        began_ms = max(0, int(began * 1000))
        return cls(first, began_ms, folder / f"seen-{first:016d}-{began_ms:013d}.log")


def segments(folder: Path) -> list[Segment]:
    """Those that are there, the oldest first; none where the folder is missing."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    found = ((NAME.fullmatch(name), name) for name in names)
    return sorted(Segment(int(match[1]), int(match[2]), folder / name) for match, name in found if match)


def size(some: Sequence[Segment]) -> int:
    """Bytes on disk. One that was deleted meanwhile counts as nothing."""
    return sum(_size(one.path) for one in some)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def expired(there: Sequence[Segment], *, before: float, most_bytes: int) -> tuple[list[Segment], list[Segment]]:
    """Which segments go: those that end before this Unix time, and of the others the oldest until the rest fits.

    The newest, which is being written, stays.
    """
    ended = [one for one, after in pairwise(there) if after.began_ms < before * 1000]
    left = there[len(ended) :]
    crowded: list[Segment] = []
    total = size(left)
    for one in left[:-1]:
        if total <= most_bytes:
            break
        total -= _size(one.path)
        crowded.append(one)
    return ended, crowded


def lock(folder: Path) -> int:
    """Make the folder, lock it, and return the lock's descriptor; closing it, or the process's end, gives it back.

    Raises Misconfigured where another process holds it, OSError where the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Misconfigured(
            f"Another Firsthour process keeps its events in {folder}. Give each its own folder: FIRSTHOUR_EVENTS, or "
            "`detection: {folder: …}` in the organisation's file."
        ) from None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
