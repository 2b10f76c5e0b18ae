"""What was counted outlives the process: a snapshot now and then, and at the start the newest one and the log after it.

Decides when a snapshot is due and in which order a start brings things back. What fires again while the log is read once
more is the same finding: the store counts it once.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice, zip_longest

import msgspec
import structlog

from bot.detection.engine import Engine
from bot.detection.finding import Finding
from bot.watch.frames import Frame, FrameKind
from bot.watch.local import LocalStates
from bot.watch.log import EventLog
from bot.watch.metrics import WatchMetrics
from bot.watch.read import Fired, fired_of, read_frames, seen_of
from bot.watch.segments import Segment, segments
from bot.watch.snapshots import Header, Record, Snapshot, Snapshots
from bot.watch.states import States, identity
from bot.watch.watch import Watch

log = structlog.get_logger()

EVERY = 60.0
"""Seconds between two snapshots, or longer where one takes long: a twentieth of the time goes into them at most."""
SHARE = 20
LOOK = 1.0
"""Seconds between two looks whether one is due."""
IDS_BACK = 600.0
"""Seconds before a snapshot from which the ids of events are read again: as long as senders redeliver."""
LONGEST_WINDOW = 86400.0
"""Seconds that are counted again where there is no snapshot."""
IDS_BYTES = 64 * 1024 * 1024
ENDS_WITHIN = 1.5
"""Seconds of a stop for the last snapshot. Without it the next start reads more of the log."""


class Keeper:
    """One for a watch. The states of Valkey keep themselves: of those only findings that were not committed are kept here."""

    def __init__(
        self, watch: Watch, events: EventLog, metrics: WatchMetrics, rules: Mapping[str, str], *,
        most_bytes: int, now: Callable[[], float],
    ) -> None:  # fmt: skip
        """`rules`: by id, the form of its states. `most_bytes`: of the log."""
        self._watch, self._events, self._metrics = watch, events, metrics
        self._rules, self._now, self._due_bytes = dict(rules), now, most_bytes // 4
        self._snapshots = Snapshots(events.folder)
        self._took, self._at, self._appended = 0.0, time.monotonic(), 0
        self._written_at: float | None = None
        self._one = asyncio.Lock()
        self._keeping: asyncio.Task[None] | None = None

    @property
    def age(self) -> float:
        """Seconds since the newest snapshot; -1 where there is none."""
        return -1.0 if self._written_at is None else max(0.0, self._now() - self._written_at)

    def start(self) -> None:
        self._keeping = asyncio.create_task(self._keep(), name="watch-keep")

    async def stop(self) -> None:
        """After nothing is counted any more: the last snapshot."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self._watch.ready.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ENDS_WITHIN):
                    await self.snapshot()

    async def _keep(self) -> None:
        try:
            await self._resume()
        except Exception:
            log.exception("watch.resume_failed")
        self._watch.ready.set()
        while True:
            await asyncio.sleep(LOOK)
            grown = self._events.appended - self._appended
            if time.monotonic() - self._at >= max(EVERY, SHARE * self._took) or grown > self._due_bytes:
                await self.snapshot()
                await self._events.tidy()

    async def snapshot(self) -> bool:
        """Write one. False where it cannot be written: then what was counted since the last one is in the log only."""
        async with self._one:
            began = time.monotonic()
            self._at, self._appended = began, self._events.appended
            if not self._events.ours:
                self._metrics.snapshot("failed")
                return False
            header = Header(self._events.number, self._now(), self._watch.findings.waiting, self._rules)
            records = _dumped(self._watch.states)  # at this very moment, whatever is counted while it is written
            try:
                size = await self._snapshots.write(header, records, _breathe)
            except OSError as error:
                log.error("watch.snapshot_failed", why=error.strerror or str(error))  # noqa: TRY400 — a full disk has no trace
                self._metrics.snapshot("failed")
                return False
            self._took, self._written_at = time.monotonic() - began, header.at
            self._metrics.snapshot("written")
            log.debug("watch.snapshot", bytes=size, seconds=round(self._took, 3))
            return True

    async def _resume(self) -> None:
        """Bring back what was counted, and hand on what had fired and may not be committed."""
        if not self._events.ours:
            return
        began = time.monotonic()
        newest = await asyncio.to_thread(self._snapshots.newest)
        after = newest.header.number if newest is not None else 0
        states, keys, events = self._watch.states, 0, 0
        if newest is not None:
            self._written_at = newest.header.at
            for finding in newest.header.findings:
                self._watch.findings.add(finding)
            if isinstance(states, LocalStates):
                keys = await self._load(states, newest)
        fired = _FiredAgain()
        for frame in self._frames(newest):
            events += self._again(states, frame, after, fired)
            await _breathe()
        for finding in fired.open():
            self._watch.findings.add(finding)
        log.info("watch.resumed", keys=keys, events=events, seconds=round(time.monotonic() - began, 2))

    async def _load(self, states: LocalStates, newest: Snapshot) -> int:
        """All but the states of rules whose primitive or key was changed since: those begin anew."""
        before = newest.header.rules
        same = {rule for rule, told in self._rules.items() if before.get(rule) == told}
        if changed := sorted(set(self._rules) - same):
            log.warning("watch.rules_changed", rules=changed)
        count = 0
        for some in newest.records():
            for record in some:
                if record[0] in same and _load_one(states.engine, record):
                    count += 1
            await _breathe()
        return count

    def _frames(self, newest: Snapshot | None) -> Iterator[Frame]:
        """Of the log: from some minutes before the snapshot on, for the ids; without one, what the longest window holds."""
        there = segments(self._events.folder)
        if newest is None:
            oldest = (self._now() - LONGEST_WINDOW) * 1000
            return read_frames(one for one, after in _followed(there) if after is None or after.began_ms >= oldest)
        since, enough = (newest.header.at - IDS_BACK) * 1000, 0
        wanted: list[Segment] = []
        for one, after in reversed(_followed(there)):
            needed = after is None or after.first > newest.header.number
            enough += 0 if needed else one.path.stat().st_size
            if not needed and (after is None or after.began_ms < since or enough > IDS_BYTES):
                break
            wanted.append(one)
        return read_frames(reversed(wanted))

    def _again(self, states: States, frame: Frame, after: int, fired: _FiredAgain) -> int:
        """One frame of the log. Returns how many of its events were counted again."""
        if frame.kind is FrameKind.FINDINGS:
            if frame.number > after:
                fired.told(fired_of(frame))
            return 0
        if frame.kind is not FrameKind.SEEN or not isinstance(states, LocalStates):
            return 0
        seen = seen_of(frame)
        for one in seen:
            if (known := identity(one.event)) is not None:
                states.recent.add(known)
        if frame.number <= after:
            return 0
        fired.again(self._watch.judged(states.engine.take(seen), seen))
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


def _dumped(states: States) -> Iterator[Record]:
    """Consistent as of this call: its first record is taken now."""
    if not isinstance(states, LocalStates):
        return iter(())
    records = iter(states.engine.dump())
    return chain(tuple(islice(records, 1)), records)


async def _breathe() -> None:
    await asyncio.sleep(0)
