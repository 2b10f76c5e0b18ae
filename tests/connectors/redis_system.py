"""Conversation memory on a real Valkey or Redis, as an application that keeps it as LangChain does reads and writes it.

Seen past the connector, which reaches the server through a wire with faults, as a user of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from urllib.parse import urlsplit

from redis.asyncio import Redis

from bot.connectors.conformance import Case, Fault
from bot.connectors.contract import Order
from bot.connectors.redis_memory import Settings
from bot.connectors.redis_memory_flush import RedisMemory
from bot.incident.words import ActionKind, ScopeKind
from tests.connectors.wire import Wire

PASSWORD = "s3cret-of-the-memory-000"
SAID = "my-iban-is-DE00-1234"
"""In everybody's memory: a result must never show it."""
ALLOWED = (
    "+@connection +exists +type +pttl +dump +eval +scan +get +lrange +smembers +zrange +hgetall +hkeys +hset +renamenx"
)
RULES = (
    f"on >{PASSWORD} ~message_store:* ~chat:* ~sessions:* ~firsthour:quarantine:* -@all {ALLOWED} +rename +expire +info"
)
"""The least that the connector needs: what docs/connectors.md tells."""


def flush(scope_id: str = "s-mallory", scope_kind: ScopeKind = ScopeKind.SESSION, *, index: int = 3) -> Order:
    key = f"INC-12:{index}:{scope_kind.value}/{scope_id}"
    return Order("INC-12", key, ActionKind.FLUSH_MEMORY, scope_kind, scope_id)


def message(text: str) -> str:
    return json.dumps({"type": "human", "data": {"content": f"{text} {SAID}"}})


class Memory:
    """The system of the conformance suite. `db` is the application's own connection."""

    secrets = (PASSWORD, SAID)
    faults = frozenset(Fault)

    def __init__(self, db: Redis, wire: Wire) -> None:
        self.db, self.wire = db, wire

    @property
    def url(self) -> str:
        return f"redis://firsthour:{PASSWORD}@127.0.0.1:{self.wire.port}/0"

    async def remember(self, scope_id: str, *texts: str) -> None:
        await self.db.lpush(f"message_store:{scope_id}", *map(message, texts))

    async def behaves_blocked(self, order: Order) -> bool:
        return not any(
            b"secret plan" in said for said in await self.db.lrange(f"message_store:{order.scope_id}", 0, -1)
        )

    async def state(self) -> object:
        """Every key with its value and whether it expires. The receipt of a revert only says that there was one."""
        keys = [key async for key in self.db.scan_iter(count=1000)]
        return {
            key: (await self.db.dump(key), await self.db.ttl(key) > 0)
            for key in keys
            if not key.startswith(b"firsthour:quarantine:reverted:")
        }

    async def carried_out(self, order: Order) -> int | None:
        return None

    async def meddle(self, order: Order) -> bool:
        await self.remember(order.scope_id, "something new")
        return True

    def having(self, fault: Fault) -> AbstractAsyncContextManager[object]:
        return self._refusing() if fault is Fault.REFUSED else self.wire.having(fault)

    @contextlib.asynccontextmanager
    async def _refusing(self) -> AsyncIterator[None]:
        await self.db.execute_command("ACL", "SETUSER", "firsthour", "resetpass", ">another")
        await self.db.execute_command("CLIENT", "KILL", "USER", "firsthour")
        try:
            yield
        finally:
            await self.db.execute_command("ACL", "SETUSER", "firsthour", *RULES.split())

    def strayed(self) -> int:
        return 0


@contextlib.asynccontextmanager
async def memory(url: str) -> AsyncIterator[Memory]:
    """An empty server with two sessions' memory. Everything in it is removed first."""
    host, port = urlsplit(url).hostname, urlsplit(url).port
    wire = Wire(
        lambda: asyncio.open_connection(host, port),
        is_order=lambda data: b"EVAL" in data,
        yes=b"*2\r\n:0\r\n:1\r\n",
        redirect=b"-MOVED 3999 127.0.0.1:1\r\n",
    )
    db = Redis.from_url(url)
    await db.flushall()
    await db.execute_command("ACL", "SETUSER", "firsthour", "reset", *RULES.split())
    await wire.listen()
    system = Memory(db, wire)
    try:
        for session in ("s-mallory", "s-alice"):
            await system.remember(session, "hello", "the secret plan")
        yield system
    finally:
        await wire.close()
        await db.aclose()


def connected(system: Memory, **settings: object) -> RedisMemory:
    given = Settings.model_validate(
        {"kind": "redis_memory", "url_env": "MEMORY_URL", "timeout_seconds": 4.0} | settings
    )
    return given.connect("memory", {"MEMORY_URL": system.url})


@contextlib.asynccontextmanager
async def case(url: str, seconds: float = 4.0) -> AsyncIterator[Case]:
    async with memory(url) as system:
        connector = connected(system, timeout_seconds=seconds)
        try:
            yield Case(connector, flush(), flush("s-alice", index=4), system)
        finally:
            await connector.close()
