"""The two moves of memory in Valkey or Redis, each one script, so that nobody ever sees half of it: aside, and back.

Decides that the same move is made once, that nothing is ever overwritten, and whether what is readable now is the old
memory. Which keys are a subject's is `redis_memory_keys`'s; what is said of it is `redis_memory`'s.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass

from redis.asyncio import Redis

from bot.connectors.contract import Order
from bot.connectors.redis_memory_keys import PREFIX
from bot.connectors.redis_memory_wire import NotUnderstood, send

RECEIPT_SECONDS = 86_400
"""How long it is remembered that something was put back, so that asking again can look at every key."""

ASIDE = """
if redis.call('EXISTS', KEYS[1]) == 1 then return {-1, 0} end
for i = 2, #KEYS do
  if redis.call('EXISTS', KEYS[1] .. ':' .. KEYS[i]) == 1 then return {-2, 0} end
end
local moved = 0
for i = 2, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then
    moved = moved + redis.call('RENAMENX', KEYS[i], KEYS[1] .. ':' .. KEYS[i])
    redis.call('HSET', KEYS[1], 'k:' .. KEYS[i], '1')
  end
end
redis.call('HSET', KEYS[1], 'others', ARGV[1])
return {0, moved}
"""
"""KEYS: the record, then the subject's keys. RENAMENX keeps the time to live. Answers how many were moved, after a 0; a -1
where the record says that it was done before, a -2 where a place is taken: then nothing was moved."""

BACK = """
local keys, taken = {}, 0
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(name, 1, 2) == 'k:' then
    local key = string.sub(name, 3)
    if redis.call('EXISTS', KEYS[1] .. ':' .. key) == 1 then
      keys[#keys + 1] = key
      taken = taken + redis.call('EXISTS', key)
    end
  end
end
if taken > 0 or redis.call('EXISTS', KEYS[1]) == 0 then return {taken, 0} end
for _, key in ipairs(keys) do
  redis.call('RENAMENX', KEYS[1] .. ':' .. key, key)
end
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('EXPIRE', KEYS[2], ARGV[1])
return {0, #keys}
"""
"""KEYS: the record and the receipt. Answers how many keys are taken by newer memory (then nothing was moved), and how many
were put back."""


@dataclass(frozen=True)
class Record:
    """What the system itself remembers of one order: the keys that were put aside."""

    keys: frozenset[bytes]
    others: bool
    """Somebody else's memory was seen when it was done."""


def record_of(order: Order) -> bytes:
    """`firsthour:quarantine:INC-12:3f0c…`; the key `k` is put aside as `firsthour:quarantine:INC-12:3f0c…:k`."""
    return PREFIX + order.incident.encode() + b":" + hashlib.sha256(order.key.encode()).hexdigest()[:12].encode()


def _receipt_of(order: Order) -> bytes:
    return PREFIX + b"reverted:" + record_of(order).removeprefix(PREFIX)


def aside_of(order: Order, key: bytes) -> bytes:
    return record_of(order) + b":" + key


async def aside(db: Redis, order: Order, keys: Collection[bytes], *, others: bool) -> tuple[int, int]:
    """What ASIDE answers. Raises NotUnderstood."""
    return await _script(db, ASIDE, [record_of(order), *keys], b"1" if others else b"0")


async def back(db: Redis, order: Order) -> tuple[int, int]:
    """How many keys hold newer memory (then nothing was moved), and how many were put back. Raises NotUnderstood."""
    return await _script(db, BACK, [record_of(order), _receipt_of(order)], str(RECEIPT_SECONDS).encode())


async def _script(db: Redis, script: str, keys: list[bytes], argument: bytes) -> tuple[int, int]:
    match await send(db, "EVAL", script, len(keys), *keys, argument):
        case [int(first), int(second)]:
            return first, second
        case _:
            raise NotUnderstood


async def recorded(db: Redis, order: Order, *, reverted: bool = False) -> Record | None:
    """None where this order has put nothing aside (or, with `reverted`, put nothing back lately)."""
    name = _receipt_of(order) if reverted else record_of(order)
    fields: dict[bytes, bytes] = await send(db, "HGETALL", name)
    if not fields:
        return None
    keys = frozenset(name.removeprefix(b"k:") for name in fields if name.startswith(b"k:"))
    return Record(keys, fields.get(b"others") == b"1")


async def readable_of(db: Redis, record: Record) -> int:
    """How many of the record's keys can be read where they were."""
    return int(await send(db, "EXISTS", *record.keys)) if record.keys else 0


async def is_old(db: Redis, order: Order, key: bytes) -> bool:
    """Whether what is readable under the key now holds anything of what was put aside.

    Where nothing is aside any more, somebody may have put it back by hand: that counts as old.
    """
    old = await _pieces(db, aside_of(order, key))
    return not old or not old.isdisjoint(await _pieces(db, key))


async def _pieces(db: Redis, key: bytes) -> frozenset[bytes]:
    """The messages of a memory, as far as its type shows them: an application that rewrites it keeps the old ones."""
    match await db.type(key):
        case b"list":
            return frozenset(await send(db, "LRANGE", key, 0, -1))
        case b"set":
            return frozenset(await send(db, "SMEMBERS", key))
        case b"zset":
            return frozenset(await send(db, "ZRANGE", key, 0, -1))
        case b"hash":
            fields = await send(db, "HGETALL", key)
            return frozenset(name + b"\0" + value for name, value in fields.items())
        case b"string":
            return _messages(await send(db, "GET", key) or b"")
        case _:
            return frozenset(filter(None, [await send(db, "DUMP", key)]))


def _messages(text: bytes) -> frozenset[bytes]:
    """A string that is a JSON array (or an object with arrays in it) holds a message an element; any other is one piece."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return frozenset({text})
    held = parsed.values() if isinstance(parsed, dict) else [parsed]
    messages = [one for array in held if isinstance(array, list) for one in array]
    return frozenset(json.dumps(one, sort_keys=True).encode() for one in messages) or frozenset({text})
