"""Row 5 of the bars: 60,000 reminders pending, 1,000 due at one instant, each in an incident of its own.

The real clock ticks over the real sweep; lateness is what `firsthour_reminder_lateness_seconds` is fed with. Beside it a
task measures for how long the loop was not given back to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from bot.app import keep_what_was_made
from bot.cases.context import Context
from bot.clock import Clock
from bot.incident.incident import Incident
from bot.incident.outward import Reminder, ReminderKind, ReminderState
from bot.incident.words import Severity, Status
from bot.store import Store, schema
from tests.benchmarks.stats import high
from tests.conftest import database_of, postgres_running
from tests.opened import context

PENDING, DUE = 60_000, 1_000
AHEAD = timedelta(seconds=4)
"""Until the instant: the clock must be running by then."""
PROBE = 0.001
"""Seconds between two looks of the task that watches the loop."""
CHUNK = 5_000
KINDS: tuple[tuple[ReminderKind, dict[str, Any]], ...] = (
    (ReminderKind.WINDOW_START, {"window": "contain"}),
    (ReminderKind.WINDOW_NUDGE, {"window": "contain"}),
    (ReminderKind.UPDATE_DUE, {}),
    (ReminderKind.ACKNOWLEDGE, {"level": 0}),
)
"""A quarter each. All of them have something to say."""


async def measure() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        lines = [await _on("SQLite", f"sqlite:///{folder}/bench.db")]
    with postgres_running() as url:
        lines.append(await _on("PostgreSQL", database_of(url, "postgres")))
    return [line for both in lines for line in both]


async def _on(name: str, url: str) -> list[str]:
    store = Store(url)
    try:
        await schema.upgrade(store)
        due_at = await _fill(store)
        return [f"{name:11} {line}" for line in await _tick(context(store), due_at)]
    finally:
        await store.close()


async def _tick(ctx: Context, due_at: datetime) -> list[str]:
    late: list[float] = []
    keep_what_was_made()  # as the bot does once it has started
    began = time.perf_counter()
    clock = Clock(ctx, late=late.append)
    async with _watched() as quiet:
        clock.start()
        await clock.tick()
        started = time.perf_counter() - began
        await asyncio.sleep(max(0.0, (due_at - ctx.store.now()).total_seconds() - 0.5))
    busy = time.process_time()
    async with _watched() as blocked:
        async with asyncio.timeout(60):
            while len(late) < DUE:
                await asyncio.sleep(0.02)
    busy = time.process_time() - busy
    await clock.stop()
    return [
        f"lateness of {len(late):,}    p50 {high(late, 50):.3f}  p99 {high(late, 99):.3f} s   (bar 0.4 s);"
        f" {busy:.2f} s of processor time in all",
        f"loop held at most    {max(blocked) * 1000:.1f} ms, p99 {high(blocked, 99) * 1000:.1f} ms;"
        f" {max(quiet) * 1000:.1f} ms with nothing due   (bar 20 ms)",
        f"start-up             {started:.3f} s   (bar 2 s)",
    ]


@contextlib.asynccontextmanager
async def _watched() -> AsyncIterator[list[float]]:
    """How much later than asked for the loop came back, again and again."""
    held: list[float] = []

    async def watch() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(PROBE)
            held.append(time.perf_counter() - before - PROBE)

    watching = asyncio.create_task(watch())
    try:
        yield held
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


async def _fill(store: Store) -> datetime:
    """Write the incidents and their reminders. Returns when the first 1,000 are due."""
    incidents = [_incident(number, store.now()) for number in range(1, PENDING + 1)]
    await _insert(store, Incident, incidents)
    later = store.now() + timedelta(hours=6)
    rest = [_reminder(number, later + timedelta(seconds=number)) for number in range(DUE + 1, PENDING + 1)]
    await _insert(store, Reminder, rest)
    due_at = store.now() + AHEAD
    await _insert(store, Reminder, [_reminder(number, due_at) for number in range(1, DUE + 1)])
    return due_at


async def _insert(store: Store, noun: Any, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), CHUNK):
        async with store.writing.begin() as connection:
            await connection.execute(insert(noun.__table__), rows[start : start + CHUNK])


def _incident(number: int, now: datetime) -> dict[str, Any]:
    unheard = KINDS[number % len(KINDS)][0] is ReminderKind.ACKNOWLEDGE
    made = Incident(
        number=number,
        title=f"Incident {number}",
        severity=Severity.SEV1,
        status=Status.OPEN if unheard else Status.ACKNOWLEDGED,
        declared_by="U01ALICE",
        playbook_digest="0" * 64,
        declared_at=now - timedelta(minutes=20),
        acknowledged_at=None if unheard else now - timedelta(minutes=19),
        channel_id=f"C{number:08d}",
    )
    return made.model_dump()


def _reminder(number: int, due_at: datetime) -> dict[str, Any]:
    kind, args = KINDS[number % len(KINDS)]
    return {
        "key": f"{number}:bench",
        "incident": number,
        "kind": kind,
        "args": args,
        "due_at": due_at,
        "state": ReminderState.PENDING,
        "fired_at": None,
    }
