"""Row 8 of the bars: what a year of history (5,000 incidents, 1 M timeline entries) costs each command in the database.

Incidents are led through the real use cases from their alert to their end, and copied with SQL (`history_year`). Then the
same lives (`history_acts`) are led by turns on that database and on one with a handful of incidents, and every statement is
explained.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from sqlmodel import SQLModel

from bot import logs
from bot.practice.ai_app import PracticeAiApp
from bot.practice.server import PracticeWorkspace
from commands import FEATURES
from tests.benchmarks import history_year
from tests.benchmarks.history_acts import LIVES
from tests.benchmarks.history_built import side
from tests.benchmarks.history_side import Side

TURNS = 9
BAR = 2.0
FEW = {"deployment", "gate_replica"}
"""One row; and one for each gate that is alive: neither grows with history."""
GROWS = tuple(f"SCAN {table}" for table in SQLModel.metadata.tables if table not in FEW)
"""How SQLite says that it reads all of a table or all of an index."""
EXPLAINED = {"SELECT", "UPDATE", "DELETE", "WITH"}
Times = dict[str, list[float]]
"""Milliseconds of each turn, by act."""


async def measure() -> list[str]:
    logs.configure("console", level=logging.ERROR)  # the rooms tell of thousands of acts
    with tempfile.TemporaryDirectory() as folder:
        few_in, year_in = Path(folder) / "few", Path(folder) / "year"
        few_in.mkdir()
        year_in.mkdir()
        async with AsyncExitStack() as ends:
            ws = await ends.enter_async_context(PracticeWorkspace())
            ai = await ends.enter_async_context(PracticeAiApp())
            few = await ends.enter_async_context(side(ws, ai, few_in))
            year = await ends.enter_async_context(side(ws, ai, year_in))
            for one in (few, year):
                await _lead(one, {})
                await one.change("DELETE FROM measured_month")  # of one life: the year's are put away by who asks
            began = time.perf_counter()
            made = await history_year.copy(year.store)
            entries, seconds = made * history_year.ENTRIES, time.perf_counter() - began
            head = f"{made:,} incidents, {entries:,} entries made in {seconds:.1f} s; milliseconds of a processor"
            took = await _turns(few, year)
            lines = [_line(name, times, took[1][name]) for name, times in took[0].items()]
            return [head, *lines, _summary(*took), *_not_done(year), *await _scans(year)]


async def _turns(few: Side, year: Side) -> tuple[Times, Times]:
    few.listening = year.listening = True
    took: tuple[Times, Times] = ({}, {})
    for _ in range(TURNS):
        for one, times in zip((few, year), took, strict=True):
            await _lead(one, times)
    return took


async def _lead(one: Side, times: Times) -> None:
    """Every life, each to its end."""
    for life in LIVES:
        for name, act in life:
            one.clock.advance(seconds=2)
            one.spent.clear()
            await _done(name, act, one)
            times.setdefault(name, []).append(one.took * 1000)
        await _put_to_rest(one)
        one.clock.advance(hours=1)


async def _put_to_rest(side: Side) -> None:
    """Beside the acts: whatever a life left open ends, so that the next one begins beside the same few."""
    for statement in (
        "UPDATE incident SET ended_at = :now WHERE ended_at IS NULL",
        "UPDATE reminder SET state = 'stopped' WHERE state = 'pending'",
        "UPDATE intent SET state = 'done' WHERE state IN ('pending', 'sending')",
        "UPDATE suppression SET over_at = :now WHERE over_at IS NULL",
        "UPDATE action_item SET state = 'done' WHERE state = 'pending'",
        "UPDATE risk SET closed_at = :now WHERE closed_at IS NULL",
    ):
        await side.change(statement)


async def _done(name: str, act: Callable[[Side], Awaitable[object]], one: Side) -> None:
    try:
        await act(one)
    except Exception as error:
        error.add_note(f"while doing: {name}")
        raise


def _ratio(few: Sequence[float], year: Sequence[float]) -> float:
    """Of the quickest turns: whatever else the machine does can only add. An act that asks nothing costs nothing more."""
    return min(year) / min(few) if min(few) else 1.0


def _line(name: str, few: Sequence[float], year: Sequence[float]) -> str:
    before, after = min(few), min(year)
    ratio = _ratio(few, year)
    over = "" if ratio <= BAR else f"   over {BAR:.0f} ×"
    return f"{name:44} {before:7.2f} → {after:7.2f} ms   {ratio:5.2f} ×{over}"


def _summary(few: Times, year: Times) -> str:
    ratios = sorted((_ratio(few[name], year[name]), name) for name in few)
    worst, name = ratios[-1]
    over = sum(ratio > BAR for ratio, _ in ratios)
    middle = ratios[len(ratios) // 2][0]
    return f"{len(ratios)} acts, {over} over {BAR:.0f} ×; median {middle:.2f} ×, highest {worst:.2f} × ({name})"


def _not_done(one: Side) -> list[str]:
    """Verbs, buttons and forms of the registry that no act did."""
    known = {feature.verb for feature in FEATURES}
    known |= {f"[{button}]" for feature in FEATURES for button in feature.buttons}
    known |= {f"form {form.callback_id}" for feature in FEATURES for form in feature.forms}
    left = sorted(known - one.done)
    told = f"{len(known) - len(left)} of {len(known)} verbs, buttons and forms"
    return [told, f"not done: {', '.join(left)}"] if left else [told]


async def _scans(one: Side) -> list[str]:
    """Every statement of the acts whose plan reads a whole table or index."""
    found = []
    seen = {asked: given for asked, given in one.statements.items() if asked.split()[0] in EXPLAINED}
    async with one.store.engine.connect() as connection:
        for statement, given in seen.items():
            plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)).all()
            scans = [row.detail for row in plan if row.detail.startswith(GROWS)]
            found += [f"full scan: {scan}   in {' '.join(statement.split())[:300]}" for scan in scans]
    return [*found, f"{len(seen)} statements explained, {len(found)} full scans"]
