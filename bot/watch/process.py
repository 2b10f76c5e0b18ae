"""A watch that runs: what it consists of, and in which order that starts and stops.

Decides where its folder is, and whether the states are kept here or in Valkey. It needs the store, and nothing of Slack; a
store that is away keeps it from nothing but opening incidents, and those wait.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from bot.cases.context import Context
from bot.cases.finding import report
from bot.detection.compiled import Compiled
from bot.detection.engine import Engine
from bot.detection.finding import Finding
from bot.detection.rule import TriggerRule
from bot.detection.scan import Knowledge, Scanner
from bot.gate.decisions import Outbox
from bot.incident.errors import Misconfigured
from bot.settings import Settings
from bot.store import Store
from bot.watch import decisions
from bot.watch.findings import Findings
from bot.watch.keep import Keeper
from bot.watch.local import LocalStates
from bot.watch.log import EventLog
from bot.watch.metrics import WatchMetrics
from bot.watch.recent import Recent
from bot.watch.registered import Registered, key_for
from bot.watch.states import States
from bot.watch.steady import Steady
from bot.watch.watch import TOGETHER, Watch

log = structlog.get_logger()

MEGABYTE = 1024 * 1024
GIVES_WAY = 0.0005
"""Seconds that a thread waits for the interpreter while the loop is busy. Python's 5 ms would be waited for at each of the
some twenty-five trips of a commit to SQLite's thread: an eighth of a second beside a stream of events."""
TOGETHER_IN_VALKEY = 2000
"""Events of one step: a step is some round trips."""


class RunningWatch:
    """`start` returns once it takes events, though what was counted before may still be read; `stop` forgets nothing."""

    def __init__(self, ctx: Context, settings: Settings, registry: CollectorRegistry) -> None:
        """Raises Misconfigured where REDIS_URL cannot be used."""
        wanted = ctx.org.detection
        self._ctx, self._settings = ctx, settings
        self._now = lambda: ctx.store.now().timestamp()
        self._metrics = WatchMetrics(registry)
        self._rules = [TriggerRule(one.id, one.rule) for one in ctx.playbook.triggers.values()]
        self.folder = folder_of(settings, wanted.folder, ctx.store)
        most_bytes = wanted.most_megabytes * MEGABYTE
        self._events = EventLog(self.folder, days=wanted.days, most_bytes=most_bytes, now=self._now)
        self._events.wrote = functools.partial(self._metrics.stage, "log")
        self._findings = Findings(self._report, self._metrics, self._severity)
        self._engine = Engine(self._rules, most_keys=wanted.most_keys)
        self._states, together = self._states_of(settings)
        self._scanner: Scanner | None = None
        self._together, self._most_bytes = together, most_bytes
        self._ends = AsyncExitStack()
        self._watch: Watch | None = None

    async def start(self) -> None:
        """Raises Misconfigured where another process uses its folder, or the detection key is not the right one."""
        sys.setswitchinterval(GIVES_WAY)
        ends = self._ends
        key = await key_for(self._ctx.store, self._settings.detection_key)
        registered = Registered(self._ctx.store, key, self._rules)
        scanner = Scanner(await registered.knowledge() or Knowledge(), key.hashing)
        await self._events.start()
        ends.push_async_callback(self._events.stop)
        ends.push_async_callback(self._states.close)
        self._watch = watch = Watch(
            self._states, scanner, self._events, self._findings, self._metrics,
            named=scanner.named, suppressed_by=registered.suppressed_by, now=Steady(self._now), together=self._together,
        )  # fmt: skip
        self.keeper = keeper = Keeper(
            watch, self._events, self._metrics, {one.id: _form(one) for one in self._engine.rules},
            most_bytes=self._most_bytes, now=self._now,
        )  # fmt: skip
        self._show(watch, keeper, scanner)
        ends.push_async_callback(keeper.stop)
        ends.push_async_callback(self._findings.stop)
        ends.push_async_callback(watch.stop)
        self._findings.start()
        keeper.start()
        self._run(registered.follow(scanner, watch.turn), "watch-registered")

    def hear(self, outbox: Outbox) -> None:
        """Count the gate's decisions too."""
        self._run(decisions.follow(outbox, self.taker), "watch-gate")

    @property
    def taker(self) -> Watch:
        """Who takes events; known from `start` on."""
        assert self._watch is not None
        return self._watch

    async def stop(self) -> None:
        """Nothing is counted any more, then findings are committed, then what was counted is written down."""
        await self._ends.aclose()

    def _run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)

        async def stop() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._ends.push_async_callback(stop)

    async def _report(self, findings: Sequence[Finding]) -> str:
        return (await report(self._ctx, findings)).value

    def _severity(self, trigger: str) -> int:
        known = self._ctx.playbook.triggers.get(trigger)
        return int(known.severity) if known is not None else 4

    def _states_of(self, settings: Settings) -> tuple[States, int]:
        """And how many events they are best given at once."""
        wanted = self._ctx.org.detection
        if settings.redis_url is None:
            return LocalStates(self._engine, Recent(wanted.most_ids)), TOGETHER
        try:
            from bot.watch.valkey import ValkeyStates
        except ModuleNotFoundError as error:
            raise Misconfigured(
                "REDIS_URL is set, but the library for it is missing: pip install 'firsthour[valkey]'."
            ) from error
        return ValkeyStates(settings.redis_url, self._engine.rules, most_ids=wanted.most_ids), TOGETHER_IN_VALKEY

    def _show(self, watch: Watch, keeper: Keeper, scanner: Scanner) -> None:
        states, events = self._states, self._events
        self._metrics.matcher(scanner.engine)
        self._metrics.watch(
            {
                "keys": lambda: states.keys,
                "evictions": lambda: states.evictions,
                "log_bytes": lambda: events.bytes,
                "log_failing": lambda: events.trouble is not None,
                "unlogged_events": lambda: events.unwritten,
                "snapshot_age_seconds": lambda: keeper.age,
                "findings_waiting": lambda: len(self._findings),
                "events_waiting": lambda: watch.waiting,
                "streams_evicted": lambda: scanner.streams_evicted,
                "texts_cut_short": lambda: scanner.cut_short,
                **states.figures,
            }
        )


def folder_of(settings: Settings, wanted: Path | None, store: Store) -> Path:
    """Where the log lies: FIRSTHOUR_EVENTS, the organisation's file, beside the SQLite file, or in the working directory."""
    if settings.events is not None:
        return settings.events
    if wanted is not None:
        return wanted
    database = store.url.database if store.sqlite else None
    if database and database != ":memory:":
        return Path(f"{database}.events")
    return Path("firsthour-events")


def _form(rule: Compiled[Any]) -> str:
    """The same as long as its states can be read: a threshold may change, what is counted and by what may not."""
    return f"{type(rule).__name__} by {', '.join(rule.order)}"
