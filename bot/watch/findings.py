"""From findings to incidents: what fired waits here until the store has it.

Decides the order, what goes into one transaction, and that a store that is away loses nothing: it is tried again until it
is back. What a finding means for an incident is `bot.cases.finding`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from bot.detection.finding import Finding
from bot.incident.errors import Busy, FirsthourError
from bot.watch.metrics import WatchMetrics

log = structlog.get_logger()

TOGETHER = 200
"""Findings of one trigger on one subject that are written in one transaction."""
MOST = 20_000
"""Findings that wait. Above it more evidence is given up, and counted; …"""
MOST_OF_ALL = 100_000
"""… above this also what would open something: a storm of so many subjects has its rooms already."""
PAUSE = 5.0
"""Seconds between two writes of more evidence only: an attack that goes on must not hold the store, nor fill the timeline."""
BACKOFF, LONGEST = 0.5, 15.0
TRIES = 5
"""Of a finding that the rules of incidents refuse, or that fails in a way nobody foresaw."""
ENDS_WITHIN = 2.0
"""Seconds of a stop for what waits."""

Key = tuple[str, str, str | None, str | None]
Report = Callable[[Sequence[Finding]], Awaitable[str]]
"""Commit findings of one trigger on one subject; the word for what became of them. May raise Busy."""


class Findings:
    """A queue with one worker. Findings are told apart by their id: twice the same is one."""

    def __init__(self, report: Report, metrics: WatchMetrics, severity_of: Callable[[str], int]) -> None:
        """`severity_of` a trigger: the most severe go first."""
        self._report, self._metrics, self._severity_of = report, metrics, severity_of
        self._waiting: dict[Key, list[Finding]] = {}
        self._ids: set[str] = set()
        self._since: dict[str, float] = {}
        self._tries: dict[Key, int] = {}
        self._there, self._stopping = asyncio.Event(), asyncio.Event()
        self._urgent = asyncio.Event()
        self._opens, self._away = 0, False
        self._working: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def opening(self) -> bool:
        """What would open an incident is being committed, and not kept back by a store that is away."""
        return self._opens > 0 and not self._away

    @property
    def waiting(self) -> list[Finding]:
        """All that is not committed: a snapshot takes it along."""
        return [finding for group in self._waiting.values() for finding in group]

    def add(self, finding: Finding) -> None:
        if finding.id in self._ids:
            return
        if len(self._ids) >= (MOST_OF_ALL if finding.first else MOST):
            self._metrics.finding(finding.trigger, "dropped")
            return
        self._ids.add(finding.id)
        self._since[finding.id] = time.monotonic()
        self._waiting.setdefault(_key(finding), []).append(finding)
        self._there.set()
        if finding.first:
            self._opens += 1
            self._urgent.set()

    def start(self) -> None:
        self._working = asyncio.create_task(self._work(), name="watch-findings")

    async def stop(self) -> None:
        """Commit what waits, for some seconds. What is left is in the log, and fires again at the next start."""
        self._stopping.set()
        self._there.set()
        self._urgent.set()
        if self._working is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._working, ENDS_WITHIN)
        if self._ids:
            log.warning("watch.findings_left", count=len(self._ids))

    async def _work(self) -> None:
        failed = 0
        while not (self._stopping.is_set() and (not self._ids or failed)):
            await self._there.wait()
            if self._stopping.is_set() and not self._ids:
                return
            urgent, failed = await self._round(failed)
            self._away = failed > 0
            if failed:
                await self._rest(self._stopping, min(LONGEST, BACKOFF * 2 ** min(failed, 6)))
            elif not urgent:
                await self._rest(self._urgent, PAUSE)

    async def _rest(self, until: asyncio.Event, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(until.wait(), seconds)

    async def _round(self, failed: int) -> tuple[bool, int]:
        """Everything that waits, once; the most severe first, and what opens something before more evidence."""
        self._there.clear()
        self._urgent.clear()
        order = sorted(self._waiting, key=lambda key: (not self._waiting[key][0].first, self._severity_of(key[0])))
        urgent = any(self._waiting[key][0].first for key in order)
        for key in order:
            try:
                await self._commit(key)
            except Busy as error:
                if not failed:
                    log.warning("watch.store_away", waiting=len(self._ids), why=str(error))
                self._there.set()
                return urgent, failed + 1
        if failed:
            log.info("watch.store_back")
        if self._ids:
            self._there.set()
        return urgent, 0

    async def _commit(self, key: Key) -> None:
        some = self._waiting[key][:TOGETHER]
        began = time.perf_counter()
        try:
            outcome = await self._report(some)
        except Busy:
            raise
        except FirsthourError as error:
            self._tried(key, some, str(error))
            return
        except Exception:
            log.exception("watch.finding_failed", trigger=key[0])
            self._tried(key, some, "unforeseen")
            return
        self._metrics.stage("commit", time.perf_counter() - began)
        for finding in some:
            self._metrics.committed(time.monotonic() - self._since[finding.id])
            self._metrics.finding(finding.trigger, outcome if finding is some[0] else "attached")
        self._forget(key, some)

    def _tried(self, key: Key, some: Sequence[Finding], why: str) -> None:
        self._tries[key] = tries = self._tries.get(key, 0) + 1
        if tries < TRIES:
            return
        log.error("watch.finding_given_up", trigger=key[0], findings=[one.id for one in some], why=why)
        self._metrics.finding(key[0], "failed", len(some))
        self._forget(key, some)

    def _forget(self, key: Key, some: Sequence[Finding]) -> None:
        self._tries.pop(key, None)
        self._opens -= sum(finding.first for finding in some)
        for finding in some:
            self._ids.discard(finding.id)
            self._since.pop(finding.id, None)
        left = self._waiting[key][len(some) :]
        if left:
            self._waiting[key] = left
        else:
            del self._waiting[key]


def _key(finding: Finding) -> Key:
    return finding.trigger, finding.subject_kind, finding.subject_id, finding.app
