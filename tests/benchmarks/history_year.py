"""A year of history, made of the lives that a store holds: copied with SQL, so that a million entries take seconds.

Decides what differs in the copies: numbers, keys, times, and the names of people, of which a year has five hundred. A quarter
of it is about the application that the acts are about, with the same endpoints.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import Store

INCIDENTS, ENTRIES = 5_000, 200
FAR = 100_000
"""Between the row ids of one copy and of the next, so that what points at a row can be moved as well."""
PEOPLE = 500
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {copies})"
ENDED = "datetime('now', '-' || (n.i * {lives}) || ' hours', '-1 day')"
MOVED = "{0} + n.i * {far}"
KEYS = "key || ':' || n.i"
BY = "|| '-' || (n.i % 500)"
COPIED: dict[str, dict[str, str]] = {
    "incident": {
        "number": "number + n.i * {lives}", "announced_by": "announced_by + n.i * {lives}", "dedup_key": f"dedup_key {BY}",
        "channel_id": "printf('C9%09d', number + n.i * {lives})", "ended_at": ENDED, "declared_at": ENDED,
        "head_seq": str(ENTRIES),
        "app": "CASE n.i % 4 WHEN 0 THEN app ELSE 'app-' || (n.i % 40) END", "subject_id": f"subject_id {BY}",
        "gathers_until": "NULL",
    },
    "alert": {"external_id": "external_id || '-' || n.i", "received_at": ENDED},
    "gathered_subject": {"dedup_key": f"dedup_key {BY}"},
    "evidence": {},
    "fingerprint": {"evidence": MOVED.format("evidence", far=FAR)},
    "step": {},
    "action": {
        "scope_id": f"CASE scope_kind WHEN 'user' THEN scope_id {BY} ELSE scope_id END",
        "state": "CASE WHEN state IN ('verified', 'attested') THEN 'reverted' ELSE state END",
    },
    "approval": {"action": MOVED.format("action", far=FAR)},
    "role": {},
    "stakeholder_update": {},
    "surface": {},
    "reminder": {"key": KEYS, "state": "'fired'"},
    "intent": {"key": KEYS, "state": "'done'"},
    "validation_run": {},
    "trial": {"run": MOVED.format("run", far=FAR)},
    "exposure": {},
    "review_answer": {},
    "action_item": {"state": "'done'"},
    "risk": {"closed_at": ENDED},
    "suppression": {"over_at": ENDED},
    "gate_rule": {"key": KEYS, "version": "version + n.i * 1000", "removed_at": ENDED},
    "inbound_key": {"key": KEYS, "at": "datetime('now', '-' || (n.i % 6) || ' days')"},
}  # fmt: skip
"""What differs in the copies of a row, by table. What points at an incident or at a row by its id is moved besides."""


async def copy(store: Store) -> int:
    """Copies of all the store's incidents until there are 5,000, with 1 M entries. Returns how many there are now."""
    async with store.engine.connect() as connection:
        lives = (await connection.execute(text("SELECT max(number) FROM incident"))).scalar_one()
        copies = INCIDENTS // lives
        for table, changed in COPIED.items():
            await connection.execute(text(await _copying(connection, table, changed, lives, copies)))
        entries = NUMBERS.format(copies=copies) + (
            f", e(j) AS (SELECT 1 UNION ALL SELECT j + 1 FROM e WHERE j < {ENTRIES})"
            " INSERT INTO timeline_entry (incident, seq, at, kind, actor_kind, actor, data, prev_hash, hash)"
            f" SELECT t.incident + n.i * {lives}, e.j, t.at, t.kind, t.actor_kind, t.actor, t.data, t.prev_hash,"
            " hex(randomblob(32)) FROM n, e, incident i JOIN timeline_entry t"
            f" ON t.incident = i.number AND t.seq = 1 + e.j % i.head_seq WHERE i.number <= {lives}"
        )
        await connection.execute(text(entries))
        for name, latest in (("incident", "max(number) FROM incident"), ("gate", "max(version) FROM gate_rule")):
            await connection.execute(text(f"UPDATE counter SET value = (SELECT {latest}) WHERE name = '{name}'"))
        await connection.commit()
        return int((await connection.execute(text("SELECT count(*) FROM incident"))).scalar_one())


async def _copying(connection: AsyncConnection, table: str, changed: dict[str, str], lives: int, copies: int) -> str:
    found = (await connection.execute(text(f"PRAGMA table_info({table})"))).all()
    values = {"id": MOVED.format("id", far=FAR), "incident": f"incident + n.i * {lives}", **changed}
    picked = ", ".join(values.get(row.name, f'"{row.name}"').format(lives=lives) for row in found)
    named = ", ".join(f'"{row.name}"' for row in found)
    return f'{NUMBERS.format(copies=copies)} INSERT INTO "{table}" ({named}) SELECT {picked} FROM n, "{table}"'
