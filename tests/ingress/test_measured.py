"""Metrics of incidents for Prometheus: by severity, a minute old at most, and never in a scrape's way."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from prometheus_client import CollectorRegistry
from sqlmodel import col, update
from structlog.testing import capture_logs

from bot.incident.errors import Busy
from bot.incident.incident import Incident
from bot.incident.words import Severity
from bot.ingress.measured import FRESH, Measuring, by_severity
from bot.ingress.metrics import Metrics
from bot.metrics.report import Report
from bot.store import Store
from tests.metrics.test_summary import contained, summed
from tests.opened import context, opened


class Ticking:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


async def read() -> None:
    """Wait for what a wake began."""
    begun = [task for task in asyncio.all_tasks() if task.get_name() == "metrics"]
    if begun:
        await asyncio.wait(begun)


async def test_prometheus_is_told_medians_and_outcomes_by_severity_without_drills(store: Store) -> None:
    ctx, registry = context(store), CollectorRegistry()
    numbers = [await opened(ctx, Severity.SEV2, user=f"u{n}", app=f"a{n}") for n in range(3)]
    now = store.now()
    for number, values in zip(
        numbers,
        ({"acknowledged_at": now}, {"acknowledged_at": now + timedelta(hours=2)}, {"drill": True}),
        strict=True,
    ):
        async with store.unit() as unit:
            await unit.session.exec(
                update(Incident).where(col(Incident.number) == number).values(declared_at=now, **values)
            )
    metrics = Metrics(registry)
    measuring = Measuring(registry, by_severity(ctx))
    ctx.store.now = lambda: now + timedelta(hours=3)  # type: ignore[method-assign]
    metrics.on_scrape(measuring.wake)
    await read()
    about = {"metric": "time_to_acknowledge", "severity": "SEV-2"}
    seconds = [
        registry.get_sample_value("firsthour_incident_metric_seconds", {**about, "percentile": p}) for p in ("50", "90")
    ]
    assert seconds == [3600.0, 6480.0]
    outcomes = {
        outcome: registry.get_sample_value("firsthour_incident_metric_incidents", {**about, "outcome": outcome})
        for outcome in ("met", "missed", "unknown")
    }
    assert outcomes == {"met": 1, "missed": 1, "unknown": 0}
    share = registry.get_sample_value(
        "firsthour_incident_metric_share", {"metric": "detection_method", "severity": "SEV-2"}
    )
    assert share == 1.0
    assert b"firsthour_incident_metric_seconds" in await metrics.expose(store)
    await measuring.stop()


async def test_a_scrape_never_waits_and_figures_are_read_once_a_minute() -> None:
    clock, reads, gate = Ticking(), 0, asyncio.Event()

    async def slow() -> Report:
        nonlocal reads
        reads += 1
        await gate.wait()
        return summed([contained(1, 1)])

    measuring = Measuring(CollectorRegistry(), slow, now=clock)
    for _ in range(5):
        measuring.wake()
    await asyncio.sleep(0)
    clock.at += FRESH + 1
    measuring.wake()
    assert reads == 1, "one at a time, however long it takes"
    gate.set()
    await read()
    measuring.wake()
    await read()
    assert reads == 2
    clock.at += FRESH - 1
    measuring.wake()
    await read()
    assert reads == 2, "still believed"
    await measuring.stop()


async def test_a_store_that_does_not_answer_leaves_the_figures_of_before() -> None:
    clock, answers, registry = Ticking(), [summed([contained(1, 1)])], CollectorRegistry()

    async def once() -> Report:
        if not answers:
            raise Busy
        return Report(**{**vars(answers.pop()), "groups": (summed([contained(1, 1)]).whole,)})

    measuring = Measuring(registry, once, now=clock)
    measuring.wake()
    await read()
    clock.at += FRESH
    with capture_logs() as logs:
        measuring.wake()
        await read()
        await asyncio.sleep(0)
    assert logs == [{"event": "metrics.not_read", "error": "Busy", "log_level": "warning"}]
    about = {"metric": "time_to_contain", "severity": "all", "percentile": "50"}
    assert registry.get_sample_value("firsthour_incident_metric_seconds", about) == 60.0


async def test_stopping_cuts_a_read_short() -> None:
    async def never() -> Report:
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    measuring = Measuring(CollectorRegistry(), never)
    measuring.wake()
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        await measuring.stop()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "metrics"]
