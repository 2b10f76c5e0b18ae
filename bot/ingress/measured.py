"""The incidents' metrics for Prometheus, by severity: medians and percentiles of the last ninety days, and how targets went.

Decides names, labels and how old figures may be. A scrape never waits for them: it is told what was read last, and has them
read anew where that is a minute ago. Which metrics there are is the playbook's, so every label has a fixed set of values.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import structlog
from prometheus_client import CollectorRegistry, Gauge

from bot.cases.context import Context
from bot.incident.metrics import Outcome
from bot.metrics.report import Report, report
from bot.metrics.summary import By, Group, Line, percentile

log = structlog.get_logger()

WINDOW = timedelta(days=90)
FRESH = 60.0
"""Seconds for which figures are believed."""
PERCENTILES = (50, 90, 95)
Read = Callable[[], Awaitable[Report]]
"""The report of the window, by severity."""


class Measuring:
    """One a process. `wake` at every scrape; `stop` before the store closes."""

    def __init__(self, registry: CollectorRegistry, read: Read, *, now: Callable[[], float] = time.monotonic) -> None:
        self._read, self._now = read, now
        self._task: asyncio.Task[None] | None = None
        self._begun: float | None = None
        self._seconds = Gauge(
            "firsthour_incident_metric_seconds",
            "Durations of incidents of the last 90 days, no drills, what is not known left out.",
            ["metric", "severity", "percentile"],
            registry=registry,
        )
        self._share = Gauge(
            "firsthour_incident_metric_share",
            "Detected in the preferred way, and median of the wanted evidence that is kept; 0 to 1, last 90 days.",
            ["metric", "severity"],
            registry=registry,
        )
        self._incidents = Gauge(
            "firsthour_incident_metric_incidents",
            "Incidents of the last 90 days by what became of a metric's target.",
            ["metric", "severity", "outcome"],
            registry=registry,
        )

    def wake(self) -> None:
        """Have the figures read anew where they are old. Awaits nothing."""
        fresh = self._begun is not None and self._now() - self._begun < FRESH
        if fresh or (self._task is not None and not self._task.done()):
            return
        self._begun = self._now()
        self._task = asyncio.create_task(self._refresh(), name="metrics")
        self._task.add_done_callback(_told)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({self._task})

    async def _refresh(self) -> None:
        report = await self._read()
        for gauge in (self._seconds, self._share, self._incidents):
            gauge.clear()
        for group in report.groups:
            for line in group.lines:
                self._tell(group, line)

    def _tell(self, group: Group, line: Line) -> None:
        labels = (line.metric.id, group.label)
        for outcome in Outcome:
            self._incidents.labels(*labels, outcome.value).set(line.count(outcome))
        if line.metric.preferred is not None and line.known:
            self._share.labels(*labels).set(line.methods.get(line.metric.preferred, 0) / line.known)
        elif line.spread is not None and line.metric.kind == "completeness":
            self._share.labels(*labels).set(line.spread.p50)
        elif line.spread is not None:
            for percent in PERCENTILES:
                value = percentile(line.spread.values, percent)
                self._seconds.labels(*labels, str(percent)).set(value)


def by_severity(ctx: Context) -> Read:
    async def read() -> Report:
        now = ctx.store.now()
        span = {"since": now - WINDOW, "until": now}
        return await report(ctx.store, ctx.playbook, ctx.calendar, **span, by=By.SEVERITY, speed=ctx.speed)

    return read


def _told(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("metrics.not_read", error=type(error).__name__)
