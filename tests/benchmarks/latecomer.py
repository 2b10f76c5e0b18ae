"""What `/incident since` costs in an incident of 90 days with 100,000 entries, against one with 100.

The entries are made with SQL. Prints medians of what a person waits for, without Slack, and their ratios.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from bot.cases.context import Context
from bot.store import Store, schema
from tests.opened import context, opened
from tests.spoken import asking, said, spoken

FEW, MANY = 100, 100_000
DAYS, TURNS = 90, 15
SPANS = ("30m", "1d", "30d", "90d")
NOW = datetime(2026, 6, 1, tzinfo=UTC)
KINDS = "CASE e.j % 20 WHEN 0 THEN 'note' WHEN 1 THEN 'step_done' ELSE 'alert_attached' END"


async def measure() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        few, many = await _side(f"sqlite:///{folder}/few.db", FEW), await _side(f"sqlite:///{folder}/many.db", MANY)
        try:
            return [await _compare(span, few, many) for span in SPANS]
        finally:
            await few.store.close()
            await many.store.close()


async def _side(url: str, entries: int) -> Context:
    moment = [NOW - timedelta(days=DAYS)]
    store = Store(url, now=lambda: moment[0])
    await schema.upgrade(store)
    ctx = context(store)
    number = await opened(ctx)
    async with store.unit() as unit:
        incident = await unit.incident(number)
        first, incident.channel_id = incident.head_seq, "C0ROOM"
        incident.head_seq += entries
    rows = (
        f"WITH RECURSIVE e(j) AS (SELECT 1 UNION ALL SELECT j + 1 FROM e WHERE j < {entries})"
        " INSERT INTO timeline_entry (incident, seq, at, kind, actor_kind, actor, data, prev_hash, hash)"
        f" SELECT 1, {first} + e.j, strftime('%Y-%m-%d %H:%M:%f000', :start, (e.j * 86400.0 * {DAYS} / {entries}) || ' seconds'),"
        f" {KINDS}, 'alert', 'siem', json_object('text', hex(randomblob(60)), 'title', hex(randomblob(40))),"
        " hex(randomblob(32)), hex(randomblob(32)) FROM e"
    )
    async with store.engine.connect() as connection:
        await connection.execute(text(rows), {"start": f"{moment[0]:%Y-%m-%d %H:%M:%S}"})
        await connection.commit()
    moment[0] = NOW
    return ctx


async def _compare(span: str, few: Context, many: Context) -> str:
    took: dict[int, list[float]] = {id(few): [], id(many): []}
    shown: Any = ""
    for _ in range(TURNS):
        for ctx in (few, many):
            began = time.perf_counter()
            shown = await spoken(ctx, f"since {span}", asking(channel="C0ROOM", incident=1))
            took[id(ctx)].append((time.perf_counter() - began) * 1000)
    before, after = statistics.median(took[id(few)]), statistics.median(took[id(many)])
    return f"since {span:4} {before:7.1f} → {after:7.1f} ms   {after / before:5.2f} ×   {len(said(shown)):,} characters"
