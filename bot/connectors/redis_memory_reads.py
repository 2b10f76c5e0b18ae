"""What is asked of Valkey or Redis without changing it: which keys a subject has now, what they weigh as evidence.

Decides how far is looked. No contents leave this file, only names and digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from redis.asyncio import Redis

from bot.connectors.contract import Order
from bot.connectors.redis_memory_keys import PREFIX, Found, Patterns, TooWide
from bot.connectors.redis_memory_wire import send
from bot.incident.columns import Json
from bot.incident.redact import redact
from bot.incident.words import ActionKind, ScopeKind

MOST = 10_000
"""Keys of one subject. One script moves them all while the server waits: some 20 ms."""
PAGE = 1_000
PAGES = 20
"""How far is looked for somebody else's memory, to see that it was left alone."""


async def keys_of(db: Redis, patterns: Patterns, order: Order) -> list[bytes]:
    """The keys that hold the subject's memory now, sorted. Raises TooWide where they cannot be told from others'."""
    keys: set[bytes] = set()
    for found in await _found(db, patterns, order):
        if found.exact is None:
            keys |= await _scanned(db, found)
        elif not found.exact.startswith(PREFIX) and await db.exists(found.exact):
            keys.add(found.exact)
        if len(keys) > MOST:
            raise TooWide(f"the subject has more than {MOST:,} keys: put them aside by hand, or session by session")
    return sorted(keys)


async def was_put_aside(db: Redis, patterns: Patterns, order: Order) -> bool:
    """Whether memory of the subject lies aside already, by whatever order. Looks through the whole keyspace."""
    for found in await _found(db, patterns, order):
        async for key in db.scan_iter(match=PREFIX + b"*:" + found.glob, count=PAGE):
            parts = key.removeprefix(PREFIX).split(b":", 2)  # the incident, the order's digest, the key as it was
            if len(parts) == 3 and found.matches(parts[2]):
                return True
    return False


async def _found(db: Redis, patterns: Patterns, order: Order) -> list[Found]:
    if order.kind is not ActionKind.FLUSH_MEMORY:
        raise TooWide(f"it flushes memory, and does not {order.kind.value.replace('_', ' ')}")
    if not patterns.of(order.scope_kind):
        raise TooWide(f"{patterns.known}, not of {order.scope_kind.value.replace('_', ' ')}")
    if order.scope_kind is ScopeKind.SESSION:
        return [pattern.of(order.scope_id) for pattern in patterns.session]
    found = [pattern.of(order.scope_id) for pattern in patterns.user]
    if patterns.index is not None:
        index = patterns.index.of(order.scope_id).exact
        sessions = await _members(db, index) if index is not None else []
        found += [pattern.of(session) for session in sessions for pattern in patterns.session]
    return found


async def _members(db: Redis, index: bytes) -> list[str]:
    match await db.type(index):
        case b"set":
            members: Iterable[bytes] = await send(db, "SMEMBERS", index)
        case b"list":
            members = await send(db, "LRANGE", index, 0, -1)
        case b"zset":
            members = await send(db, "ZRANGE", index, 0, -1)
        case b"hash":
            members = await send(db, "HKEYS", index)
        case b"none":
            members = []
        case _:
            raise TooWide("the list of the user's sessions is neither a set, a list, a sorted set nor a hash")
    return sorted(member.decode(errors="surrogateescape") for member in members)


async def _scanned(db: Redis, found: Found) -> set[bytes]:
    return {key async for key in db.scan_iter(match=found.glob, count=PAGE) if found.matches(key)}


async def others_remembered(db: Redis, patterns: Patterns, order: Order, keys: Iterable[bytes]) -> bool:
    """Whether somebody else's memory was seen. False also where a large keyspace shows none within the first pages."""
    own = set(keys)
    for pattern in patterns.of(order.scope_kind):
        cursor = 0
        for _ in range(PAGES):
            cursor, page = await send(db, "SCAN", cursor, "MATCH", pattern.anybody(), "COUNT", PAGE)
            if any(key not in own and not key.startswith(PREFIX) for key in page):
                return True
            if cursor == 0:
                break
    return False


async def evidence(db: Redis, keys: list[bytes]) -> list[Json]:
    """Name, type, time to live in ms (-1: none) and SHA-256 of the serialised value of each key."""
    asked_for = db.pipeline(transaction=False)
    for key in keys:
        asked_for.type(key)
        asked_for.pttl(key)
        asked_for.dump(key)
    answers = await asked_for.execute()
    return [
        {
            "key": redact(key.decode(errors="replace")),
            "type": answers[at].decode(),
            "ttl_ms": answers[at + 1],
            "sha256": hashlib.sha256(answers[at + 2] or b"").hexdigest(),
        }
        for at, key in zip(range(0, len(answers), 3), keys, strict=True)
    ]
