"""LangGraph's rows of a thread: found, put aside in a schema of ours, and put back. Values are bound, never pasted.

The tables are those of langgraph-checkpoint-postgres 3.2.0 (`langgraph.checkpoint.postgres.base.MIGRATIONS`, version 9),
found by the connection's search path. Rows are kept as JSON (bytes as hex), so that a column which a later version adds is
kept too. Decides what belongs to a subject; what is said of it is the flush's.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.connectors.contract import Order
from bot.connectors.langgraph_postgres_wire import Connection, Undone
from bot.incident.words import ActionKind, ScopeKind

SOURCES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
"""Each has a `thread_id`. In a statement SOURCE stands for one of them."""
ASIDE = "firsthour_quarantine"
CREATE = """
CREATE SCHEMA IF NOT EXISTS firsthour_quarantine;
CREATE TABLE IF NOT EXISTS firsthour_quarantine.orders (
    key text PRIMARY KEY, incident text NOT NULL, threads text[] NOT NULL, others boolean NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT now(), reverted_at timestamptz
);
CREATE TABLE IF NOT EXISTS firsthour_quarantine.rows (
    key text NOT NULL REFERENCES firsthour_quarantine.orders ON DELETE CASCADE, source text NOT NULL, row jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS rows_key ON firsthour_quarantine.rows (key, source);
"""
"""Run where it is missing and the user may; otherwise an administrator runs it once (`docs/connectors.md`)."""

OF_SESSION = """
SELECT thread_id FROM checkpoints WHERE thread_id = $1 UNION SELECT thread_id FROM checkpoint_blobs WHERE thread_id = $1
UNION SELECT thread_id FROM checkpoint_writes WHERE thread_id = $1"""
OF_USER = """
SELECT thread_id, bool_or(metadata->>$1 <> $2) AS shared FROM checkpoints
WHERE thread_id IN (SELECT thread_id FROM checkpoints WHERE metadata->>$1 = $2) GROUP BY thread_id ORDER BY thread_id"""
OTHERS = "SELECT EXISTS (SELECT FROM checkpoints WHERE thread_id <> ALL($1::text[]))"
READABLE = "SELECT count(DISTINCT thread_id) FROM checkpoints WHERE thread_id = ANY($1::text[])"
EVIDENCE = """
SELECT count(*) AS rows, encode(sha256(coalesce(string_agg(digest, '' ORDER BY digest), '')), 'hex') AS sha256 FROM (
    SELECT sha256(convert_to(to_jsonb(t)::text, 'UTF8')) AS digest FROM SOURCE t WHERE thread_id = ANY($1::text[])) each"""
CLAIM = """
INSERT INTO firsthour_quarantine.orders (key, incident, threads, others) VALUES ($1, $2, $3, $4)
ON CONFLICT (key) DO UPDATE SET threads = excluded.threads, others = excluded.others, moved_at = now(), reverted_at = NULL
WHERE orders.reverted_at IS NOT NULL RETURNING key"""
MOVE_ASIDE = """
WITH gone AS (DELETE FROM SOURCE t WHERE thread_id = ANY($2::text[]) RETURNING to_jsonb(t) AS row),
kept AS (INSERT INTO firsthour_quarantine.rows (key, source, row) SELECT $1, 'SOURCE', row FROM gone RETURNING 1)
SELECT count(*) FROM kept"""
MOVE_BACK = """
WITH back AS (INSERT INTO SOURCE SELECT r.* FROM firsthour_quarantine.rows q, jsonb_populate_record(NULL::SOURCE, q.row) r
    WHERE q.key = $1 AND q.source = 'SOURCE' ON CONFLICT DO NOTHING RETURNING 1)
SELECT count(*) FROM back"""
"""A write of a run that was under way may have come since: what is there stays."""
FORGET = "DELETE FROM firsthour_quarantine.rows WHERE key = $1"
REVERTED = "UPDATE firsthour_quarantine.orders SET reverted_at = now() WHERE key = $1"
WRITTEN_BACK = """
SELECT count(*) FROM checkpoints c WHERE thread_id = ANY($2::text[]) AND EXISTS (
    SELECT FROM firsthour_quarantine.rows q WHERE q.key = $1 AND q.source = 'checkpoints'
    AND q.row->>'thread_id' = c.thread_id AND q.row->>'checkpoint_id' IN (c.checkpoint_id, c.parent_checkpoint_id))"""
ASIDE_OF_SESSION = """
SELECT EXISTS (SELECT FROM firsthour_quarantine.rows WHERE source = 'checkpoints' AND row->>'thread_id' = $1)"""
ASIDE_OF_USER = """
SELECT EXISTS (SELECT FROM firsthour_quarantine.rows WHERE source = 'checkpoints' AND row->'metadata'->>$1 = $2)"""
KEPT = "SELECT threads, others, reverted_at FROM firsthour_quarantine.orders WHERE key = $1"


@dataclass(frozen=True)
class Kept:
    """What the database itself remembers of one order."""

    threads: list[str]
    others: bool
    """Somebody else's thread was seen when it was done."""
    reverted: bool


async def threads_of(db: Connection, order: Order, user_key: str) -> list[str]:
    """The subject's threads that hold anything now. Raises Undone where they cannot be told from others'."""
    if order.kind is not ActionKind.FLUSH_MEMORY:
        raise Undone(f"it flushes memory, and does not {order.kind.value.replace('_', ' ')}")
    match order.scope_kind:
        case ScopeKind.SESSION:
            return [row["thread_id"] for row in await db.fetch(OF_SESSION, order.scope_id)]
        case ScopeKind.USER:
            rows = await db.fetch(OF_USER, user_key, order.scope_id)
        case other:
            raise Undone(f"it knows the memory of one session or user, not of {other.value.replace('_', ' ')}")
    if any(row["shared"] for row in rows):
        raise Undone("the user shares a thread with somebody else: flush that thread as a session")
    return [row["thread_id"] for row in rows]


async def others_remembered(db: Connection, threads: list[str]) -> bool:
    return bool(await db.fetchval(OTHERS, threads))


async def readable(db: Connection, threads: list[str]) -> int:
    """How many of the threads have a checkpoint."""
    return int(await db.fetchval(READABLE, threads))


async def evidence(db: Connection, threads: list[str]) -> dict[str, dict[str, object]]:
    """For each table the number of rows, and a SHA-256 over theirs. The rows never leave the database."""
    return {one: dict(await db.fetchrow(EVIDENCE.replace("SOURCE", one), threads)) for one in SOURCES}


async def aside(db: Connection, order: Order, threads: list[str]) -> int | None:
    """How many rows were moved; None where this order was carried out before. Raises Undone where rows stay."""
    others = await others_remembered(db, threads)
    if await db.fetchval(CLAIM, order.key, order.incident, threads, others) is None:
        return None
    moved = [int(await db.fetchval(MOVE_ASIDE.replace("SOURCE", one), order.key, threads)) for one in SOURCES]
    if await readable(db, threads):
        raise Undone("it kept rows that were to go (a trigger, a row policy, or a run that writes right now)")
    return sum(moved)


async def back(db: Connection, order: Order, threads: list[str]) -> int:
    """How many rows were put back. Raises Undone where a thread has new checkpoints: they are never mixed."""
    if count := await readable(db, threads):
        raise Undone(
            f"{count} of its threads began anew since: to put the old checkpoints back would mix them up. Decide which of "
            "the two stays, delete the new thread, then revert again"
        )
    moved = [int(await db.fetchval(MOVE_BACK.replace("SOURCE", one), order.key)) for one in SOURCES]
    await db.execute(FORGET, order.key)
    await db.execute(REVERTED, order.key)
    return sum(moved)


async def written_back(db: Connection, order: Order, threads: list[str]) -> int:
    """Checkpoints that are readable and were put aside, or continue one that was: a run that was under way."""
    return int(await db.fetchval(WRITTEN_BACK, order.key, threads))


async def was_put_aside(db: Connection, order: Order, user_key: str) -> bool:
    """Whether memory of the subject lies aside already, by whatever order."""
    if not await exists(db):
        return False
    if order.scope_kind is ScopeKind.USER:
        return bool(await db.fetchval(ASIDE_OF_USER, user_key, order.scope_id))
    return bool(await db.fetchval(ASIDE_OF_SESSION, order.scope_id))


async def exists(db: Connection) -> bool:
    """Whether our schema is there."""
    return await db.fetchval("SELECT to_regclass('firsthour_quarantine.rows')") is not None


async def make_room(db: Connection) -> None:
    """Our schema, where it is missing. Two at once make it one after the other."""
    if not await exists(db):
        await db.execute("SELECT pg_advisory_xact_lock(hashtext('firsthour_quarantine'))")
        await db.execute(CREATE)


async def kept(db: Connection, order: Order, *, lock: bool = False) -> Kept | None:
    """None where this order has put nothing aside."""
    if not await exists(db):
        return None
    row = await db.fetchrow(f"{KEPT} FOR UPDATE" if lock else KEPT, order.key)
    return Kept(list(row["threads"]), row["others"], row["reverted_at"] is not None) if row else None
