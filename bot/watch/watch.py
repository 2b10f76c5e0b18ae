"""The watch: events in, each once; scanned, counted, kept; what fires goes on to the store.

Decides the order of these, and that none of it holds the loop: work is done in slices, and one batch after the other, so
that an acknowledgement waits for one slice at most. What is counted and when it fires is `states`', the scan is
`bot.detection.scan`'s.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec
import structlog

from bot.detection.event import Event, Seen
from bot.detection.finding import Finding
from bot.incident.errors import Busy
from bot.watch.findings import Findings
from bot.watch.frames import FrameKind
from bot.watch.log import EventLog
from bot.watch.metrics import WatchMetrics
from bot.watch.owed import Owed
from bot.watch.read import Fired
from bot.watch.states import States, StatesAway

log = structlog.get_logger()

SLICE, SHORT = 0.001, 0.0002
"""Seconds of work between two looks of the loop at everything else; the shorter while something that fired waits for its
commit, which needs some hundred turns of the loop. The bar is 20 ms (design §9)."""
TOGETHER, FEW = 128, 32
"""Events of one step at most: a fraction of a slice where they bring no text."""
TEXT_TOGETHER = 32_000
"""Characters of one step at most: four milliseconds for the slowest matcher."""
LONG_TEXT = 64_000
"""A text from here on is scanned in a thread of its own."""
PATIENCE = 5.0
"""Seconds that a batch waits while the log is read after a start."""


class Taken(NamedTuple):
    accepted: int
    duplicates: int


class Scans(Protocol):
    def scan(self, event: Event, arrived: float) -> Seen: ...


Suppressed = Callable[[Finding, str | None], str | None]
"""By what a finding of a tenant's is suppressed; None where nothing does."""


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
        suppressed_by: Suppressed = lambda *_: None,
        now: Callable[[], float] = time.time,
        together: int = TOGETHER,
    ) -> None:
        """`now`: Unix seconds. `together`: how many events the states are best given at once."""
        self.states, self.scanner, self.events, self.findings = states, scanner, events, findings
        self._metrics, self._suppressed_by, self._now, self._together = metrics, suppressed_by, now, together
        self._encode = msgspec.msgpack.Encoder().encode
        self.turn = asyncio.Lock()
        """Whoever holds it may change scanner and states."""
        self.ready = asyncio.Event()
        """Set once what was counted before the start is known again: until then `take` waits."""
        self._owed = Owed(states, self._counted, self.turn)
        self._spent = 0.0

    async def take(self, events: Sequence[Event], *, via: str = "native") -> Taken:
        """Count these events, each once. Returns once they are counted; that they are on disk takes a moment longer.

        `via`: the route by which they came, one of a fixed set: a label of the metrics. Raises Busy where none of them was
        taken: the log is still being read after a start, or too many wait for Valkey already.
        """
        await self._may_take(len(events))
        accepted = 0
        async with self.turn:
            late = self.states.late
            for step in self._steps(events):
                accepted += await self._count(step)
                await self._breathe()
            self._metrics.events(via, "late", self.states.late - late)
        if events:
            self._metrics.lag(self._now() - events[-1].at)
        self._metrics.events(via, "accepted", accepted)
        self._metrics.events(via, "duplicate", len(events) - accepted)
        return Taken(accepted, len(events) - accepted)

    async def _may_take(self, count: int) -> None:
        if not self.ready.is_set():
            try:
                await asyncio.wait_for(self.ready.wait(), PATIENCE)
            except TimeoutError:
                raise Busy from None
        if self._owed.full(count):
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
        return len(self._owed)

    async def stop(self) -> None:
        """After this nothing is counted any more."""
        await self._owed.stop()
        await self.turn.acquire()  # and it is not given back

    def _steps(self, events: Sequence[Event]) -> Iterator[Sequence[Event]]:
        """So few at once that a step ends within a slice."""
        start = characters = 0
        most = self._together
        for place, event in enumerate(events):
            length = len(event.text) if event.text is not None else 0
            if place > start and (place - start >= most or characters + length > TEXT_TOGETHER):
                yield events[start:place]
                start, characters = place, 0
                most = min(FEW, self._together) if len(self.findings) else self._together
            characters += length
        if start < len(events):
            yield events[start:]

    async def _breathe(self) -> None:
        """Give the loop to everybody else once a slice was used up."""
        now = time.perf_counter()
        if now - self._spent >= (SHORT if len(self.findings) else SLICE):
            await asyncio.sleep(0)
            self._spent = time.perf_counter()

    async def _count(self, events: Sequence[Event]) -> int:
        """One step. Returns how many were new."""
        arrived = self._now()
        if len(self._owed):  # one after the other
            return self._owed.add(await self._scanned(events, arrived), known_new=False)
        new = await self.states.new(events)
        seen = await self._scanned([event for event, is_new in zip(events, new, strict=True) if is_new], arrived)
        try:
            await self._counted(seen)
        except StatesAway:
            self._owed.add(seen, known_new=True)
        return len(seen)

    async def _scanned(self, events: Sequence[Event], arrived: float) -> list[Seen]:
        if len(events) == 1 and events[0].text is not None and len(events[0].text) >= LONG_TEXT:
            return [await asyncio.to_thread(self.scanner.scan, events[0], arrived)]
        return [self.scanner.scan(event, arrived) for event in events]

    async def _counted(self, seen: list[Seen]) -> None:
        """Count and keep. With states in this process nothing comes between the two: a snapshot sees both or neither."""
        if not seen:
            return
        found = await self.states.take(seen)
        self.events.append(FrameKind.SEEN, self._encode(seen), events=len(seen))
        if not found:
            return
        fired = self.judged(found, seen)
        self.events.append(FrameKind.FINDINGS, self._encode(fired))
        for one in fired:
            self._hand_on(one)

    def judged(self, found: Sequence[Finding], seen: Sequence[Seen]) -> list[Fired]:
        """Each with what suppresses it. `seen`: what they fired on."""
        return [Fired(one, self._suppressed_by(one, _tenant(one, seen))) for one in found]

    def _hand_on(self, fired: Fired) -> None:
        """To the store, unless it is to open nothing."""
        finding = fired.finding
        if fired.opens:
            self.findings.add(finding)
            return
        outcome = "shadow" if finding.shadow else "suppressed"
        log.info("watch.finding", trigger=finding.trigger, finding=finding.id, outcome=outcome, by=fired.by)
        self._metrics.finding(finding.trigger, outcome)


def _tenant(finding: Finding, seen: Sequence[Seen]) -> str | None:
    """Whose the events of the evidence are, as far as this step knows them: the event that completed it is in it."""
    ids = frozenset(finding.event_ids)
    of_it = (one.event for one in seen if one.event.event_id in ids or one.event.source_event_id in ids)
    return next((event.tenant for event in of_it if event.tenant is not None), None)
