"""The watch: events in, each once; scanned, counted, kept; what fires goes on to the store.

Decides the order of these, and that none of it holds the loop: work is done in slices, and one batch after the other, so
that an acknowledgement waits for one slice at most. What is counted and when it fires is `states`', the scan is
`bot.detection.scan`'s.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec
import structlog

from bot.detection.event import Event, Seen
from bot.detection.finding import Finding
from bot.incident.errors import Busy
from bot.watch.findings import Findings
from bot.watch.frames import FrameKind
from bot.watch.give_way import GiveWay
from bot.watch.judged import Suppressed, judged
from bot.watch.laps import Laps
from bot.watch.log import EventLog
from bot.watch.metrics import WatchMetrics
from bot.watch.owed import Owed
from bot.watch.read import Fired
from bot.watch.singles import Singles
from bot.watch.states import States, StatesAway
from bot.watch.steps import is_long, steps

log = structlog.get_logger()

SLICE, SHORT = 0.001, 0.0002
"""Seconds of work between two looks of the loop at everything else; the shorter while what opens an incident is committed,
which needs some dozens of turns of the loop. The bar is 20 ms (design §9)."""
TOGETHER = 128
"""Events of one step at most: a fraction of a slice where they bring no text."""
PATIENCE = 5.0
"""Seconds that a batch waits while the log is read after a start."""


class Taken(NamedTuple):
    accepted: int
    duplicates: int


class Scans(Protocol):
    def scan_all(self, events: Sequence[Event], arrived: float) -> list[Seen]: ...


Named = Callable[[list[Seen], bytes], list[Seen]]
"""The events of a step and the same packed; the events, none of them with a credential for an id."""


class Watch:
    """One for a process. `take` may be called by many at once; they take turns."""

    def __init__(
        self,
        states: States,
        scanner: Scans,
        events: EventLog,
        findings: Findings,
        metrics: WatchMetrics,
        *,
        named: Named = lambda seen, _: seen,
        suppressed_by: Suppressed = lambda *_: None,
        now: Callable[[], float] = time.time,
        together: int = TOGETHER,
    ) -> None:
        """`now`: Unix seconds. `together`: how many events the states are best given at once."""
        self.states, self.scanner, self.events, self.findings = states, scanner, events, findings
        self._metrics, self._suppressed_by, self._now, self._together = metrics, suppressed_by, now, together
        self._encode, self._named = msgspec.msgpack.Encoder().encode, named
        self.turn = asyncio.Lock()
        """Whoever holds it may change scanner and states."""
        self.ready = asyncio.Event()
        """Set once what was counted before the start is known again: until then `take` waits."""
        self.owed = Owed(states, self._counted, self.turn, events)
        """What waits for the states to be back."""
        self._singles = Singles(self._take, self.turn)
        self._laps = Laps(metrics.stage)
        self._spent = 0.0
        self._way = GiveWay()

    async def take(self, events: Sequence[Event], *, via: str = "native") -> Taken:
        """Count these events, each once. Returns once they are counted; that they are on disk takes a moment longer.

        `via`: the route by which they came, one of a fixed set: a label of the metrics. Raises Busy where none of them was
        taken: the log is still being read after a start, or too many wait for Valkey already.
        """
        await self._may_take(len(events))
        if len(events) == 1 and not is_long(events):
            accepted = int(await self._singles.take(events[0], via))
        else:
            async with self.turn:
                accepted = sum(await self._take(events, via))
        return Taken(accepted, len(events) - accepted)

    async def _take(self, events: Sequence[Event], via: str) -> Sequence[bool]:
        """Which of them are new. Its caller has the turn."""
        new: list[bool] = []
        late = self.states.late
        for step in steps(events, self._together, lambda: self.findings.opening):
            new += await self._count(step)
            await self._breathe()
        accepted = sum(new)
        self._metrics.events(via, "late", self.states.late - late)
        self._metrics.events(via, "accepted", accepted)
        self._metrics.events(via, "duplicate", len(events) - accepted)
        if events:
            self._metrics.lag(self._now() - events[-1].at)
        return new

    async def _may_take(self, count: int) -> None:
        if not self.ready.is_set():
            try:
                await asyncio.wait_for(self.ready.wait(), PATIENCE)
            except TimeoutError:
                raise Busy from None
        if self.owed.full(count):
            raise Busy

    def rejected(self, count: int, *, via: str = "native") -> None:
        """Events that the route refused: for the metrics."""
        self._metrics.events(via, "rejected", count)

    def dropped(self, count: int, *, via: str) -> None:
        """Events that were given up before they were counted."""
        self._metrics.events(via, "dropped", count)

    @property
    def waiting(self) -> int:
        """Events that wait for the states to be back."""
        return len(self.owed)

    async def stop(self) -> None:
        """After this nothing is counted any more."""
        await self.turn.acquire()  # and it is not given back
        await self._singles.stop()
        await self.owed.stop()

    async def _breathe(self) -> None:
        """Give the loop to everybody else once a slice was used up; for longer while what opens an incident is committed."""
        now = time.perf_counter()
        opening = self.findings.opening
        if now - self._spent >= (SHORT if opening else SLICE):
            pause = self._way.seconds(now) if opening else 0
            await asyncio.sleep(pause)
            self._spent = time.perf_counter()
            if pause:
                self._way.gave(self._spent - now)

    async def _count(self, events: Sequence[Event]) -> Sequence[bool]:
        """One step. Which of them are new; all, where that is found out later."""
        arrived = self._now()
        if len(self.owed):  # one after the other
            self.owed.add(*await self._scanned(events, arrived), known_new=False)
            return [True] * len(events)
        ahead = await self._scanned(events, arrived) if is_long(events) else None
        self._laps.begin()
        new = await self.states.new(events)
        fresh = [event for event, is_new in zip(events, new, strict=True) if is_new]
        self._laps.end("known")
        # From here to the count nothing may be cut off: a redelivery would be no news.
        seen, packed = ahead if ahead is not None and fresh else await self._scanned(fresh, arrived)
        self._laps.end("scan")
        try:
            await self._counted(seen, packed)
            self._laps.end("count")
        except StatesAway:
            self.owed.add(seen, packed, known_new=True)
        except asyncio.CancelledError:  # the sender is gone, or a stop waited long enough for Valkey
            self.owed.add(seen, packed, known_new=True)
            raise
        return new

    async def _scanned(self, events: Sequence[Event], arrived: float) -> tuple[list[Seen], bytes]:
        """As they are counted and kept, and the same packed."""
        if is_long(events):
            seen = await asyncio.to_thread(self.scanner.scan_all, events, arrived)
        else:
            seen = self.scanner.scan_all(events, arrived)
        packed = self._encode(seen)
        named = self._named(seen, packed)
        return (seen, packed) if named is seen else (named, self._encode(named))

    async def _counted(self, seen: list[Seen], packed: bytes) -> None:
        """Count and keep. With states in this process nothing comes between the two: a snapshot sees both or neither."""
        if not seen:
            return
        found = await self.states.take(seen)
        self.events.append(FrameKind.SEEN, packed, events=len(seen))
        if not found:
            return
        fired = self.judged(found, seen)
        self.events.append(FrameKind.FINDINGS, self._encode(fired))
        for one in fired:
            self._hand_on(one)

    def judged(self, found: Sequence[Finding], seen: Sequence[Seen]) -> list[Fired]:
        """Each with what suppresses it. `seen`: what they fired on."""
        return judged(found, seen, self._suppressed_by)

    def _hand_on(self, fired: Fired) -> None:
        """To the store, unless it is to open nothing."""
        finding = fired.finding
        if fired.opens:
            self.findings.add(finding)
            return
        outcome = "shadow" if finding.shadow else "suppressed"
        log.info("watch.finding", trigger=finding.trigger, finding=finding.id, outcome=outcome, by=fired.by)
        self._metrics.finding(finding.trigger, outcome)
