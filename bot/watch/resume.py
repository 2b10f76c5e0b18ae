"""A start: the newest snapshot, and the log after it counted again.

Decides what of both is read. What fires again while the log is counted is the same finding: the store counts it once. With
states in Valkey only findings that may not be committed are brought back, and events that were never counted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, zip_longest

import msgspec
import structlog

from bot.detection.engine import Engine
from bot.detection.finding import Finding
from bot.watch.frames import Frame, FrameKind
from bot.watch.local import LocalStates
from bot.watch.log import EventLog
from bot.watch.read import Fired, fired_of, read_frames, seen_of
from bot.watch.segments import Segment, segments
from bot.watch.snapshots import Record, Snapshot
from bot.watch.states import identity
from bot.watch.watch import Watch

log = structlog.get_logger()

LONGEST_WINDOW = 86400.0
"""Seconds that are counted again where there is no snapshot."""
IDS_BACK = 600.0
"""Seconds before a snapshot from which the ids of events are read again: as long as senders redeliver."""
IDS_BYTES = 64 * 1024 * 1024
"""Of the log, for those ids, at most."""


class Resume:
    """One for a start, before anything is taken."""

    def __init__(self, watch: Watch, events: EventLog, rules: Mapping[str, str], newest: Snapshot | None) -> None:
        """`rules`: by id, the form of its states now."""
        self._watch, self._events, self._rules, self._newest = watch, events, rules, newest
        self._after = newest.header.number if newest is not None else 0
        self._fired = _FiredAgain()
        self._owed: dict[int, Frame] = {}
        """What was accepted and not counted, by the number of its frame."""
        self._local = watch.states if isinstance(watch.states, LocalStates) else None

    async def run(self, now: float) -> None:
        """Bring back what was counted, and hand on what had fired and may not be committed. `now`: Unix seconds."""
        began, keys, events = time.monotonic(), 0, 0
        self._events.number = max(self._events.number, self._after)
        if self._newest is not None:
            for finding in chain.from_iterable(self._newest.findings()):
                self._watch.findings.add(finding)
            keys = await self._load(self._newest)
        for frame in self._frames(now):
            events += self._again(frame)
            await breathe()
        for finding in self._fired.open():
            self._watch.findings.add(finding)
        for number, frame in self._owed.items():
            self._watch.owed.again(number, seen_of(frame))
            await breathe()
        log.info(
            "watch.resumed",
            keys=keys,
            events=events,
            owed=len(self._watch.owed),
            seconds=round(time.monotonic() - began, 2),
        )

    async def _load(self, newest: Snapshot) -> int:
        """All but the states of rules whose primitive or key was changed since: those begin anew."""
        if self._local is None:
            return 0
        before = newest.header.rules
        same = {rule for rule, told in self._rules.items() if before.get(rule) == told}
        if changed := sorted(set(self._rules) - same):
            log.warning("watch.rules_changed", rules=changed)
        count = 0
        for some in newest.records():
            count += sum(_load_one(self._local.engine, record) for record in some if record[0] in same)
            await breathe()
        return count

    def _frames(self, now: float) -> Iterator[Frame]:
        """Of the log: from some minutes before the snapshot on, for the ids, and further back where events were owed then;
        without one, what the longest window holds."""
        there = _followed(segments(self._events.folder))
        if self._newest is None:
            oldest = (now - LONGEST_WINDOW) * 1000
            return read_frames(one for one, after in there if after is None or after.began_ms >= oldest)
        since, enough = (self._newest.header.at - IDS_BACK) * 1000, 0
        owed = self._newest.header.owed or self._after
        wanted: list[Segment] = []
        for one, after in reversed(there):
            if after is not None and after.first <= self._after:
                enough += one.path.stat().st_size
                if after.first <= owed and (after.began_ms < since or enough > IDS_BYTES):
                    break
            wanted.append(one)
        return read_frames(reversed(wanted))

    def _again(self, frame: Frame) -> int:
        """One frame of the log. Returns how many of its events were counted again."""
        if frame.kind is FrameKind.OWED:
            self._owed[frame.number] = frame
        if frame.kind is FrameKind.PAID:
            self._owed.pop(msgspec.msgpack.decode(frame.payload, type=int), None)
        if frame.kind is FrameKind.FINDINGS and frame.number > self._after:
            self._fired.told(fired_of(frame))
        if frame.kind is not FrameKind.SEEN or self._local is None:
            return 0
        seen = seen_of(frame)
        for one in seen:
            if (known := identity(one.event)) is not None:
                self._local.recent.add(known)
        if frame.number <= self._after:
            return 0
        self._fired.again(self._watch.judged(self._local.engine.take(seen), seen))
        return len(seen)


class _FiredAgain:
    """What fired after the snapshot, by id: as it was judged then, or now where the crash came before that was written."""

    def __init__(self) -> None:
        self._fired: dict[str, Fired] = {}

    def told(self, fired: Iterable[Fired]) -> None:
        self._fired |= {one.finding.id: one for one in fired}

    def again(self, fired: Iterable[Fired]) -> None:
        for one in fired:
            self._fired.setdefault(one.finding.id, one)

    def open(self) -> Iterator[Finding]:
        """Those that are the store's to know, the oldest first."""
        return (one.finding for one in self._fired.values() if one.opens)


def _load_one(engine: Engine, record: Record) -> bool:
    """False where another version wrote it in a form that is not read any more: that key begins anew."""
    try:
        engine.load((record,))
    except msgspec.DecodeError:
        return False
    return True


def _followed(there: list[Segment]) -> list[tuple[Segment, Segment | None]]:
    """Each segment with the one after it."""
    return list(zip_longest(there, there[1:]))


async def breathe() -> None:
    await asyncio.sleep(0)
