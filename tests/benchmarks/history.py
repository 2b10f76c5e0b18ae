"""Row 8 of the bars: what a year of history (5,000 incidents, 1 M timeline entries) costs each command in the database.

One incident is run through the real use cases and copied with SQL, so that a year takes seconds to make. Then the same
acts are done by turns on that database and on one with two incidents, and every statement is explained.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy import event, text
from sqlmodel import SQLModel

from bot.cases.context import Context
from bot.cases.receive import AlertIn, receive
from bot.cases.remind import sweep
from bot.incident.words import Severity
from bot.metrics.report import report
from bot.store import Store, intents, queries, schema
from bot.store.counts import counts
from tests.opened import context, opened
from tests.spoken import asking, spoken

INCIDENTS, ENTRIES = 5_000, 200
TURNS = 25
WHOLE = tuple(f"SCAN {table}" for table in SQLModel.metadata.tables)
"""How SQLite says that it reads all of a table or all of an index."""
Act = Callable[["Side"], Awaitable[object]]

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
COPIED: dict[str, dict[str, str]] = {
    "incident": {
        "number": "n.i",
        "dedup_key": "NULL",
        "channel_id": "'C' || n.i",
        "ended_at": "datetime('now', '-' || n.i || ' hours')",
        "declared_at": "datetime('now', '-' || n.i || ' hours')",
        "app": "'app-' || (n.i % 40)",
    },
    "alert": {"external_id": "external_id || n.i"},
    "evidence": {},
    "step": {},
    "action": {},
    "role": {},
    "stakeholder_update": {},
    "surface": {},
    "reminder": {"key": "key || ':' || n.i", "state": "'fired'"},
    "intent": {"key": "key || ':' || n.i", "state": "'done'"},
}
"""What differs in the copies of one incident, by table. `incident` is the copy's number in all of them."""


@dataclass
class Side:
    """One of the two databases, what the statements on it took since the last look, and which there were."""

    store: Store
    ctx: Context
    took: float = 0.0
    statements: dict[str, Any] = field(default_factory=dict)
    target: int = 0
    fresh: count[int] = field(default_factory=count)

    def listen(self) -> None:
        engine = self.store.engine.sync_engine

        @event.listens_for(engine, "before_cursor_execute")
        def before(*given: Any) -> None:
            given[4].began = time.perf_counter()

        @event.listens_for(engine, "after_cursor_execute")
        def after(_: Any, __: Any, statement: str, parameters: Any, ran: Any, many: bool) -> None:
            self.took += time.perf_counter() - ran.began
            if not many:
                self.statements.setdefault(statement, parameters)


def _verb(line: str) -> Act:
    """In the incident's room."""
    return lambda side: spoken(
        side.ctx, line.format(side.target), asking(channel=f"C{side.target}", incident=side.target)
    )


async def _alert(side: Side) -> None:
    user = f"fresh-{next(side.fresh)}"
    about = {"subject": {"kind": "user", "id": user}, "app": user}
    alert = {
        "trigger": "credential_leakage_confirmed",
        "title": "Canary",
        "evidence": [{"name": "answer", "text": user}],
    }
    await receive(side.ctx, "native", AlertIn.model_validate({**alert, **about}))


async def _claim(side: Side) -> None:
    for claim in await intents.claim(side.store, "bench", limit=24):
        async with side.store.unit() as unit:
            await intents.settle_done(unit, claim, "bench")


async def _case_file(side: Side) -> None:
    async with side.store.read() as session:
        await queries.case_file(session, side.target, side.store.now())


async def _room(side: Side) -> None:
    async with side.store.read() as session:
        await queries.in_channel(session, f"C{side.target}")


async def _metrics(side: Side) -> None:
    async with side.store.read() as session:
        await counts(session, side.store.now())


async def _measured(side: Side) -> None:
    """What `/incident metrics` asks: here the rows themselves are most of the time."""
    now = side.store.now()
    await report(side.store, side.ctx.playbook, side.ctx.calendar, since=now - timedelta(days=90), until=now)


ACTS: dict[str, Act] = {
    "/incident list": _verb("list"),
    "/incident list sev2": _verb("list sev2"),
    "/incident status": _verb("status INC-{}"),
    "/incident timeline": _verb("timeline INC-{}"),
    "/incident step list": _verb("step list INC-{}"),
    "/incident contain list": _verb("contain list INC-{}"),
    "/incident since": _verb("since INC-{} 1d"),
    "/incident similar": _verb("similar INC-{}"),
    "/incident note": _verb("note INC-{} Something was seen"),
    "/incident evidence": _verb("evidence"),
    "/incident scope": _verb("scope"),
    "/incident answer": _verb("answer"),
    "/incident classify": _verb("classify"),
    "/incident share": _verb("share"),
    "/incident action": _verb("action"),
    "/incident risk": _verb("risk"),
    "/incident sev": _verb("sev"),
    "/incident resolve": _verb("resolve"),
    "/incident contain propose": _verb("contain propose"),
    "/incident snooze": _verb("snooze 5"),
    "whose room is this": _room,
    "a case file": _case_file,
    "an alert opens": _alert,
    "claim and settle": _claim,
    "sweep, nothing due": lambda side: sweep(side.ctx),
    "metrics": _metrics,
    "/incident metrics, 90 d": _measured,
}


async def measure() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        empty, year = await _side(f"sqlite:///{folder}/empty.db"), await _side(f"sqlite:///{folder}/year.db")
        try:
            began = time.perf_counter()
            await _copy(year.store)
            lines = [
                f"{INCIDENTS:,} incidents, {INCIDENTS * ENTRIES:,} entries made in {time.perf_counter() - began:.1f} s"
            ]
            for side in (empty, year):
                side.target = await opened(side.ctx, Severity.SEV2, user="target", app="target")
                async with side.store.unit() as unit:
                    (await unit.incident(side.target)).channel_id = f"C{side.target}"
                await _claim(side)
                side.listen()
            lines += [await _compare(name, act, empty, year) for name, act in ACTS.items()]
            return lines + await _scans(year)
        finally:
            await empty.store.close()
            await year.store.close()


async def _side(url: str) -> Side:
    store = Store(url)
    await schema.upgrade(store)
    ctx = context(store)
    await opened(ctx, Severity.SEV1, user="first", app="first")
    return Side(store, ctx)


async def _copy(store: Store) -> None:
    async with store.engine.connect() as connection:
        for table, changed in COPIED.items():
            await connection.execute(text(await _copying(connection, table, changed)))
        entries = NUMBERS.format(first=2, last=INCIDENTS) + (
            f", e(j) AS (SELECT 1 UNION ALL SELECT j + 1 FROM e WHERE j < {ENTRIES})"
            " INSERT INTO timeline_entry (incident, seq, at, kind, actor_kind, actor, data, prev_hash, hash)"
            " SELECT n.i, e.j, t.at, t.kind, t.actor_kind, t.actor, t.data, t.prev_hash, hex(randomblob(32))"
            " FROM n, e JOIN timeline_entry t ON t.incident = 1 AND t.seq = 1 + e.j % 2"
        )
        await connection.execute(text(entries))
        await connection.execute(text(f"UPDATE counter SET value = {INCIDENTS}"))
        await connection.execute(text("UPDATE incident SET head_seq = :seq WHERE number > 1"), {"seq": ENTRIES})
        await connection.commit()


async def _copying(connection: Any, table: str, changed: dict[str, str]) -> str:
    found = (await connection.execute(text(f"PRAGMA table_info({table})"))).all()
    columns = [row.name for row in found if row.name != "id"]
    own = "number" if table == "incident" else "incident"
    values = {own: "n.i", **changed}
    picked = ", ".join(values.get(name, f'"{name}"') for name in columns)
    named = ", ".join(f'"{name}"' for name in columns)
    numbers = NUMBERS.format(first=2, last=INCIDENTS)
    return f"INSERT INTO {table} ({named}) {numbers} SELECT {picked} FROM n, {table} WHERE {table}.{own} = 1"


async def _compare(name: str, act: Act, empty: Side, year: Side) -> str:
    took: dict[int, list[float]] = {id(empty): [], id(year): []}
    for _ in range(TURNS):
        for side in (empty, year):
            side.took = 0.0
            await act(side)
            took[id(side)].append(side.took * 1000)
            await asyncio.sleep(0)
    before, after = statistics.median(took[id(empty)]), statistics.median(took[id(year)])
    return f"{name:24} {before:7.2f} → {after:7.2f} ms   {after / before:5.2f} ×   (bar 2 ×)"


async def _scans(side: Side) -> list[str]:
    """Every statement of the acts whose plan reads a whole table or index."""
    found = []
    seen = dict(side.statements)
    async with side.store.engine.connect() as connection:
        for statement, parameters in seen.items():
            if statement.split()[0] not in {"SELECT", "UPDATE", "DELETE", "WITH"}:
                continue
            plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)).all()
            scans = [row.detail for row in plan if row.detail.startswith(WHOLE)]
            found += [f"full scan: {scan}   in {' '.join(statement.split())[:110]}" for scan in scans]
    return [*found, f"{len(seen)} statements explained, {len(found)} full scans"]
