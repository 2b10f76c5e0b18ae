"""What was counted outlives the process: a snapshot now and then, and one at the end.

Decides when a snapshot is due, and that nothing that goes wrong with one stops detection. What a start makes of it is
`resume`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from itertools import chain, islice
from typing import Any

import structlog

from bot.watch.local import LocalStates
from bot.watch.log import EventLog
from bot.watch.metrics import WatchMetrics
from bot.watch.resume import Resume, breathe
from bot.watch.snapshots import Header, Record, Snapshots
from bot.watch.states import States
from bot.watch.watch import Watch

log = structlog.get_logger()

EVERY = 60.0
"""Seconds between two snapshots, or longer where one takes long: a twentieth of the time goes into them at most."""
SHARE = 20
LOOK = 1.0
"""Seconds between two looks whether one is due."""
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
        await _whatever_happens(self._resume())
        self._watch.ready.set()
        while True:
            await asyncio.sleep(LOOK)
            await _whatever_happens(self._round())

    async def _resume(self) -> None:
        if not self._events.ours:
            return
        newest = await asyncio.to_thread(self._snapshots.newest)
        if newest is not None:
            self._written_at = newest.header.at
        await Resume(self._watch, self._events, self._rules, newest).run(self._now())

    async def _round(self) -> None:
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
            owed, findings = self._watch.owed.since, self._watch.findings.waiting
            header = Header(self._events.number, self._now(), self._rules, owed=owed)
            records = _dumped(self._watch.states)  # at this very moment, whatever is counted while it is written
            try:
                size = await self._snapshots.write(header, findings, records, breathe)
            except OSError as error:
                log.error("watch.snapshot_failed", why=error.strerror or str(error))  # noqa: TRY400 — a full disk has no trace
                self._metrics.snapshot("failed")
                return False
            self._took, self._written_at = time.monotonic() - began, header.at
            self._metrics.snapshot("written")
            log.debug("watch.snapshot", bytes=size, seconds=round(self._took, 3))
            return True


async def _whatever_happens(work: Coroutine[Any, Any, None]) -> None:
    """The edge of a worker's loop: detection goes on."""
    try:
        await work
    except Exception:
        log.exception("watch.keep_failed")


def _dumped(states: States) -> Iterator[Record]:
    """Consistent as of this call: its first record is taken now."""
    if not isinstance(states, LocalStates):
        return iter(())
    records = iter(states.engine.dump())
    return chain(tuple(islice(records, 1)), records)
