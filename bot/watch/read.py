"""Reading the log of seen events, also while it is being written: for `firsthour tune` and `firsthour events tail`.

Decides which segments are opened for a span of time. It writes nothing, and needs no lock.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from bot.detection.event import Seen
from bot.detection.finding import Finding
from bot.watch.frames import Frame, FrameKind, frames
from bot.watch.segments import Segment, segments

POLL = 0.2
"""Seconds between two looks of `follow`."""


def read_log(folder: Path, since: float = 0.0, until: float = float("inf")) -> Iterator[Seen]:
    """What came in from `since` to just before `until`, Unix seconds of our clock (`Seen.arrived`), as it was counted:
    without duplicates, in the order in which it came. What a crash tore is left out. Nothing where there is no folder."""
    for frame in read_frames(_between(segments(folder), since, until)):
        if frame.kind is FrameKind.SEEN:
            yield from (seen for seen in seen_of(frame) if since <= seen.arrived < until)


def read_findings(folder: Path, since: float = 0.0) -> Iterator[Finding]:
    """What fired since then by `completed_at`, also what was suppressed or only counted. One may come twice, by its id."""
    return (fired.finding for fired in read_fired(folder, since))


def read_fired(folder: Path, since: float = 0.0) -> Iterator[Fired]:
    """The same with what suppressed it."""
    for frame in read_frames(_between(segments(folder), since, float("inf"))):
        if frame.kind is FrameKind.FINDINGS:
            yield from (fired for fired in fired_of(frame) if fired.finding.completed_at >= since)


def follow(folder: Path, *, poll: float = POLL) -> Iterator[Seen]:
    """What comes in from now on, without end. Blocks: it is for a process of its own."""
    for frame in follow_frames(folder, poll=poll):
        if frame.kind is FrameKind.SEEN:
            yield from seen_of(frame)


def follow_frames(folder: Path, after: int | None = None, *, poll: float = POLL) -> Iterator[Frame]:
    """Every frame that comes after this number, from now on where none is given; without end. Blocks."""
    at, offset = _end(folder) if after is None else (after, 0)
    while True:
        there = segments(folder)
        holding = max((one.first for one in there if one.first <= at), default=0)
        for segment in [one for one in there if one.first >= holding]:
            offset = offset if segment.first == at else 0
            at = segment.first
            try:
                with segment.path.open("rb") as file:
                    file.seek(offset)
                    for frame in frames(file):
                        offset = file.tell()
                        if after is None or frame.number > after:
                            yield frame
            except FileNotFoundError:  # it was old enough to go
                continue
        time.sleep(poll)


def _end(folder: Path) -> tuple[int, int]:
    """The newest segment, and the end of its last whole frame: another may be half written."""
    there = segments(folder)
    if not there:
        return 0, 0
    with there[-1].path.open("rb") as file:
        for _ in frames(file):
            pass
        return there[-1].first, file.tell()


def read_frames(some: Iterable[Segment]) -> Iterator[Frame]:
    """Every whole frame of these, in order. One that was deleted meanwhile is passed over."""
    for segment in some:
        try:
            with segment.path.open("rb") as file:
                yield from frames(file)
        except FileNotFoundError:
            continue


def seen_of(frame: Frame) -> list[Seen]:
    """Of one that was seen or is owed; none where another version wrote them in a form that is not read any more."""
    try:
        return SEEN.decode(frame.payload)
    except msgspec.DecodeError:
        return []


class Fired(msgspec.Struct, frozen=True):
    finding: Finding
    by: str | None = None
    """By what it was suppressed; None where nothing did."""

    @property
    def opens(self) -> bool:
        """It goes on to the store."""
        return self.by is None and not self.finding.shadow


def fired_of(frame: Frame) -> list[Fired]:
    """As `seen_of`."""
    try:
        return FIRED.decode(frame.payload)
    except msgspec.DecodeError:
        return []


SEEN, FIRED = msgspec.msgpack.Decoder(list[Seen]), msgspec.msgpack.Decoder(list[Fired])


def _between(there: list[Segment], since: float, until: float) -> list[Segment]:
    """A segment may hold what came a moment before it was opened, so one more than needed is read at the beginning."""
    later = [number for number, one in enumerate(there) if one.began_ms >= since * 1000]
    first = max(0, (later[0] if later else len(there)) - 1)
    return [one for one in there[first:] if one.began_ms < until * 1000]
