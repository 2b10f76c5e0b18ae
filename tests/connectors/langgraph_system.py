"""LangGraph's memory on a real PostgreSQL: its tables as its library makes them, and a thread as its library writes one.

Seen past the connector, which reaches the server through a wire with faults, as a role of its own. That the library reads
and writes the same is shown in tests/integration/test_langgraph.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from bot.connectors.conformance import Case, Fault
from bot.connectors.contract import Order
from bot.connectors.langgraph_postgres import Settings
from bot.connectors.langgraph_postgres_flush import LangGraphPostgres
from bot.incident.words import ActionKind, ScopeKind
from tests.connectors.wire import Wire

PASSWORD = "s3cret-of-the-threads-000"
SAID = "my-iban-is-DE00-1234"
"""In everybody's memory: a result must never show it."""
TABLES = """
CREATE TABLE checkpoint_migrations (v INTEGER PRIMARY KEY);
CREATE TABLE checkpoints (
    thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '', checkpoint_id TEXT NOT NULL, parent_checkpoint_id TEXT,
    type TEXT, checkpoint JSONB NOT NULL, metadata JSONB NOT NULL DEFAULT '{}',
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
);
CREATE TABLE checkpoint_blobs (
    thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '', channel TEXT NOT NULL, version TEXT NOT NULL,
    type TEXT NOT NULL, blob BYTEA, PRIMARY KEY (thread_id, checkpoint_ns, channel, version)
);
CREATE TABLE checkpoint_writes (
    thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '', checkpoint_id TEXT NOT NULL, task_id TEXT NOT NULL,
    idx INTEGER NOT NULL, channel TEXT NOT NULL, type TEXT, blob BYTEA NOT NULL, task_path TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
);
CREATE INDEX checkpoints_thread_id_idx ON checkpoints(thread_id);
CREATE INDEX checkpoint_blobs_thread_id_idx ON checkpoint_blobs(thread_id);
CREATE INDEX checkpoint_writes_thread_id_idx ON checkpoint_writes(thread_id);
"""
"""langgraph-checkpoint-postgres 3.2.0, `langgraph.checkpoint.postgres.base.MIGRATIONS`, all applied."""
GRANTS = """
GRANT SELECT, INSERT, DELETE ON checkpoints, checkpoint_blobs, checkpoint_writes TO firsthour_connector;
"""
"""The least that the connector needs, with CREATE on the database for its own schema."""
DONE = b"C" + (11).to_bytes(4, "big") + b"COMMIT\0" + b"Z" + (5).to_bytes(4, "big") + b"I"
"""The server's answer to COMMIT."""


def flush(scope_id: str = "t-mallory", scope_kind: ScopeKind = ScopeKind.SESSION, *, index: int = 3) -> Order:
    key = f"INC-12:{index}:{scope_kind.value}/{scope_id}"
    return Order("INC-12", key, ActionKind.FLUSH_MEMORY, scope_kind, scope_id)


class Threads:
    """The system of the conformance suite. `db` is the application's own connection."""

    secrets = (PASSWORD, SAID)
    faults = frozenset(Fault) - {Fault.REDIRECT}

    def __init__(self, db: Any, wire: Wire, name: str) -> None:
        self.db, self.wire, self.name = db, wire, name

    @property
    def url(self) -> str:
        return f"postgresql://firsthour_connector:{PASSWORD}@127.0.0.1:{self.wire.port}/{self.name}?sslmode=disable"

    async def remember(self, thread: str, step: int = 0, *, parent: str | None = None, **metadata: str) -> str:
        """One checkpoint with its blob and a write, as the library stores them. Returns its id."""
        checkpoint = f"1f0-{step}-{len(await self.db.fetch('SELECT FROM checkpoints'))}"
        versions = {"messages": f"{step}.0"}
        await self.db.execute(
            "INSERT INTO checkpoints (thread_id, checkpoint_id, parent_checkpoint_id, checkpoint, metadata) "
            "VALUES ($1, $2, $3, $4, $5)",
            thread,
            checkpoint,
            parent,
            json.dumps({"v": 4, "id": checkpoint, "channel_versions": versions, "channel_values": {"note": SAID}}),
            json.dumps({"step": step, "source": "loop", **metadata}),
        )
        said = b"\x00\xff" + SAID.encode()
        blobs = "INSERT INTO checkpoint_blobs VALUES ($1, '', 'messages', $2, 'msgpack', $3) ON CONFLICT DO NOTHING"
        await self.db.execute(blobs, thread, f"{step}.0", said)
        writes = "INSERT INTO checkpoint_writes VALUES ($1, '', $2, 'task-1', 0, 'messages', 'msgpack', $3, '~__pregel_pull, x')"
        await self.db.execute(writes, thread, checkpoint, said)
        return checkpoint

    async def behaves_blocked(self, order: Order) -> bool:
        asked = "SELECT count(*) FROM checkpoints WHERE thread_id = $1 AND metadata->>'step' IN ('0', '1')"
        return not await self.db.fetchval(asked, order.scope_id)

    async def state(self) -> object:
        tables = ["checkpoints", "checkpoint_blobs", "checkpoint_writes"]
        if await self.db.fetchval("SELECT to_regclass('firsthour_quarantine.rows')"):
            tables.append("firsthour_quarantine.rows")
        return {one: await self._rows(one) for one in tables if await self._rows(one)}

    async def _rows(self, table: str) -> list[str]:
        rows = await self.db.fetch(f"SELECT to_jsonb(t)::text AS row FROM {table} t ORDER BY 1")
        return [row["row"] for row in rows]

    async def carried_out(self, order: Order) -> int | None:
        return None

    async def meddle(self, order: Order) -> bool:
        await self.remember(order.scope_id, step=7)
        return True

    def having(self, fault: Fault) -> AbstractAsyncContextManager[object]:
        return self._refusing() if fault is Fault.REFUSED else self.wire.having(fault)

    @contextlib.asynccontextmanager
    async def _refusing(self) -> AsyncIterator[None]:
        # The test's server trusts every password, so the account is closed instead.
        await self.db.execute("ALTER ROLE firsthour_connector NOLOGIN")
        try:
            yield
        finally:
            await self.db.execute("ALTER ROLE firsthour_connector LOGIN")

    def strayed(self) -> int:
        return 0


@contextlib.asynccontextmanager
async def threads(url: str) -> AsyncIterator[Threads]:
    """LangGraph's tables in the empty database at `url` (of the administrator), with two threads of two users."""
    parts = urlsplit(url)
    folder = parse_qs(parts.query)["host"][0]
    wire = Wire(
        lambda: asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{parts.port or 5432}"),
        is_order=lambda data: b"COMMIT;" in data,
        yes=DONE,
    )
    db = await asyncpg.connect(url)
    name = parts.path.removeprefix("/")
    await db.execute(
        "DO $$ BEGIN IF to_regrole('firsthour_connector') IS NULL THEN CREATE ROLE firsthour_connector LOGIN; END IF; END $$"
    )
    await db.execute(f"{TABLES}; {GRANTS}; GRANT CREATE ON DATABASE {name} TO firsthour_connector")
    await wire.listen()
    system = Threads(db, wire, name)
    try:
        for user in ("mallory", "alice"):
            first = await system.remember(f"t-{user}", 0, user_id=user)
            await system.remember(f"t-{user}", 1, parent=first, user_id=user)
        yield system
    finally:
        await wire.close()
        await db.close()


def connected(system: Threads, **settings: object) -> LangGraphPostgres:
    given = {"kind": "langgraph_postgres", "url_env": "THREADS_URL", "timeout_seconds": 4.0} | settings
    return Settings.model_validate(given).connect("threads", {"THREADS_URL": system.url})


@contextlib.asynccontextmanager
async def case(url: str, seconds: float = 4.0) -> AsyncIterator[Case]:
    async with threads(url) as system:
        yield Case(connected(system, timeout_seconds=seconds), flush(), flush("t-alice", index=4), system)
