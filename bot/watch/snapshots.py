"""Snapshots of what is counted, so that a start need not read all of the log again.

Decides when a snapshot is good: whole, by its checksums and its last frame. It is written beside its name, brought to the
disk and renamed; the one before is kept, for the case that the newest is damaged. What is in it is the engine's.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

import msgspec
import structlog

from bot.detection.finding import Finding
from bot.watch.frames import Frame, FrameKind, framed, frames

log = structlog.get_logger()

NAME = re.compile(r"state-(\d{16})\.snap")
KEPT = 2
FORMAT = 1
TOGETHER = 32 * 1024
"""Bytes of states in one frame, about: a millisecond or two of packing."""
FINDINGS_TOGETHER = 200

Record = tuple[str, str, bytes]
"""Rule, key, state."""
Breathe = Callable[[], Awaitable[None]]
T = TypeVar("T")


class Header(msgspec.Struct, frozen=True):
    number: int
    """The last frame of the log that is counted in it."""
    at: float
    rules: dict[str, str]
    """By id of a rule, the form of its states."""
    format: int = FORMAT
    owed: int = 0
    """The oldest frame of the log whose events were still to be counted; 0 where there was none."""


class Snapshot(NamedTuple):
    header: Header
    path: Path
    frames: int

    def findings(self) -> Iterator[list[Finding]]:
        """Those that were not committed yet, some at once."""
        return self._read(FrameKind.FINDINGS, msgspec.msgpack.Decoder(list[Finding]).decode)

    def records(self) -> Iterator[list[Record]]:
        """Its states, some hundreds at once."""
        return self._read(FrameKind.STATES, msgspec.msgpack.Decoder(list[Record]).decode)

    def _read(self, kind: FrameKind, decode: Callable[[bytes], T]) -> Iterator[T]:
        with self.path.open("rb") as file:
            for frame in frames(file):
                if frame.kind is kind:
                    yield decode(frame.payload)


class Snapshots:
    """Of one folder, which its user holds the lock of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def write(
        self, header: Header, findings: Sequence[Finding], records: Iterable[Record], breathe: Breathe
    ) -> int:
        """Raises OSError where it cannot be written; then the one before stays. Returns its size in bytes.

        `records` is read on the loop, in steps, and `breathe` is awaited in between.
        """
        draft = self.folder / "state.draft"
        file = await asyncio.to_thread(draft.open, "wb")
        try:
            number = 1
            await asyncio.to_thread(file.write, framed(number, FrameKind.HEADER, msgspec.msgpack.encode(header)))
            for kind, some in _parts(findings, records):
                number += 1
                await asyncio.to_thread(file.write, framed(number, kind, msgspec.msgpack.encode(some)))
                await breathe()
            return await asyncio.to_thread(self._finish, file, draft, header.number, number + 1)
        except BaseException:
            file.close()
            draft.unlink(missing_ok=True)
            raise

    def _finish(self, file: IO[bytes], draft: Path, number: int, last: int) -> int:
        file.write(framed(last, FrameKind.END, b""))
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
        file.close()
        draft.rename(self.folder / f"state-{number:016d}.snap")
        self._sync()
        for old in self.paths()[KEPT:]:
            old.unlink(missing_ok=True)
        return size

    def _sync(self) -> None:
        """The new name, too, is on the disk."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def paths(self) -> list[Path]:
        """The newest first."""
        return sorted((one for one in self.folder.glob("state-*.snap") if NAME.fullmatch(one.name)), reverse=True)

    def newest(self) -> Snapshot | None:
        """The newest that is good, None where there is none. One that is damaged is said, and passed over."""
        for path in self.paths():
            if (snapshot := good(path)) is not None:
                return snapshot
            log.error("watch.snapshot_damaged", path=str(path))
        return None


def good(path: Path) -> Snapshot | None:
    """The snapshot, checked from its first frame to its last; None where it is not whole, or of another format."""
    try:
        with path.open("rb") as file:
            header, count, last = None, 0, None
            for last in frames(file):
                count += 1
                if last.number != count:
                    return None
                if last.kind is FrameKind.HEADER:
                    header = msgspec.msgpack.decode(last.payload, type=Header)
    except (OSError, msgspec.DecodeError):
        return None
    whole = header is not None and _ends(last) and header.format == FORMAT
    return Snapshot(header, path, count) if whole and header is not None else None


def _ends(last: Frame | None) -> bool:
    return last is not None and last.kind is FrameKind.END


def _parts(
    findings: Sequence[Finding], records: Iterable[Record]
) -> Iterator[tuple[FrameKind, Sequence[Finding] | Sequence[Record]]]:
    for start in range(0, len(findings), FINDINGS_TOGETHER):
        yield FrameKind.FINDINGS, findings[start : start + FINDINGS_TOGETHER]
    for some in _together(records):
        yield FrameKind.STATES, some


def _together(records: Iterable[Record]) -> Iterator[Sequence[Record]]:
    some: list[Record] = []
    size = 0
    for record in records:
        some.append(record)
        size += len(record[1]) + len(record[2])
        if size >= TOGETHER:
            yield some
            some, size = [], 0
    if some:
        yield some
