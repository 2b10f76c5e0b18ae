"""Conversation memory in Valkey or Redis: put aside under other names at once, and put back where nothing new stands.

Decides what is said of a move, and what proves it. The application keeps running: what it writes from then on is new
memory, which a revert never touches. Contents are never read into a result, only counted and hashed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable
from typing import TypeVar

from redis.asyncio import Redis

from bot.connectors.contract import Effect, Nature, Order, Plan, Result
from bot.connectors.redis_memory_keys import Patterns
from bot.connectors.redis_memory_moves import Record, aside, back, is_old, readable_of, recorded
from bot.connectors.redis_memory_reads import evidence, keys_of, others_remembered, was_put_aside
from bot.connectors.redis_memory_wire import Silent, asked
from bot.incident.columns import Json
from bot.incident.words import ActionKind, ScopeKind

T = TypeVar("T")
LISTED = 200
"""Keys named in a snapshot. Its digest is over all of them."""


class RedisMemory:
    nature = Nature.SYSTEM

    def __init__(self, name: str, db: Redis, patterns: Patterns, seconds: float) -> None:
        self.name, self.db, self.patterns, self.seconds = name, db, patterns, seconds

    def can_revert(self, kind: ActionKind) -> bool:
        return True

    def effect_of(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> str:
        whom = "everyone" if scope_kind is ScopeKind.EVERYONE else f"{scope_kind.value.replace('_', ' ')} {scope_id}"
        if kind is not ActionKind.FLUSH_MEMORY or not self.patterns.of(scope_kind):
            return f"{self.name} will refuse to {kind.value.replace('_', ' ')} for {whom}: {self.patterns.known}."
        return (
            f"What is remembered of {whom} is put aside at once, and can be put back. Nobody else's memory is touched."
        )

    async def plan(self, order: Order) -> Plan:
        sentence = self.effect_of(order.kind, order.scope_kind, order.scope_id)
        keys = await self._ask(keys_of(self.db, self.patterns, order))
        return Plan(sentence if isinstance(keys, Silent) else f"{sentence} It is {_counted(len(keys))} now.")

    async def snapshot(self, order: Order) -> Result:
        """CAPTURED with names, types, times to live and digests: never what was said."""
        seen = await self._ask(self._evidence(order))
        if isinstance(seen, Silent):
            return Result(Effect.FAILED, f"{self.name}: {seen.why}.")
        if seen is None:
            return self._nothing()
        every = hashlib.sha256("".join(str(one["sha256"]) for one in seen).encode()).hexdigest()
        kept: Json = {"keys": seen[:LISTED], "count": len(seen), "sha256": every}
        return Result(Effect.CAPTURED, f"Names and digests of {_counted(len(seen))}, before the action.", kept)

    async def apply(self, order: Order) -> Result:
        before = await self._ask(self._before(order))
        if isinstance(before, Silent):
            return Result(Effect.FAILED, f"{self.name}: {before.why}. Nothing was changed.")
        if before is None:
            return self._nothing()
        keys, others = before
        moved = await self._ask(aside(self.db, order, keys, others=others))
        match moved:
            case Silent():
                return self._unsure(moved)
            case (-1, _):
                return Result(Effect.APPLIED, "It was put aside before under this order: nothing more was moved.")
            case (-2, _):
                words = "Something stands already where it would be put aside. Nothing was changed."
                return Result(Effect.FAILED, words)
            case (_, 0):
                return Result(Effect.APPLIED, "It was put aside before by another order, and stays there.")
            case (_, count):
                return Result(Effect.APPLIED, f"{self.name} put aside {_counted(count)}.")

    async def verify(self, order: Order) -> Result:
        """What was put aside is no longer readable for the subject, and others' memory still is."""
        seen = await self._ask(self._readable(order))
        return Result(Effect.UNKNOWN, f"{self.name}: {seen.why}.") if isinstance(seen, Silent) else seen

    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        """By the system's own record of what was moved; the snapshot is evidence only."""
        before = await self._ask(self._aside_and_back(order))
        if isinstance(before, Silent):
            return Result(Effect.FAILED, f"{self.name}: {before.why}. Nothing was changed.")
        put_aside, put_back = before
        if put_aside is None:
            words = "It was put back before." if put_back else "Nothing is put aside under this order."
            return Result(Effect.APPLIED if put_back else Effect.FAILED, words)
        moved = await self._ask(back(self.db, order))
        if isinstance(moved, Silent):
            return self._unsure(moved)
        taken, restored = moved
        if taken:
            return Result(
                Effect.FAILED,
                f"New memory was written since under {_counted(taken)}: to put the old back would destroy it. Nothing was "
                "changed. Decide which of the two stays, remove the other, then revert again.",
            )
        gone = len(put_aside.keys) - restored
        lost = f" {_counted(gone)} had expired or been removed." if gone else ""
        return Result(Effect.APPLIED, f"{self.name} put back {_counted(restored)}.{lost}")

    async def verify_revert(self, order: Order) -> Result:
        before = await self._ask(self._aside_and_back(order))
        if isinstance(before, Silent):
            return Result(Effect.UNKNOWN, f"{self.name}: {before.why}.")
        put_aside, put_back = before
        if put_aside is not None:
            return Result(Effect.VERIFIED, "Asked again, it is still put aside.")
        if put_back is None:
            return Result(Effect.REVERTED, "Asked again, nothing is put aside under this order.")
        readable = await self._ask(readable_of(self.db, put_back))
        if isinstance(readable, Silent):
            return Result(Effect.UNKNOWN, f"{self.name}: {readable.why}.")
        return Result(
            Effect.REVERTED, f"Asked again, {readable} of {_counted(len(put_back.keys))} can be read as before."
        )

    async def health(self) -> Result:
        info = await self._ask(self.db.info("cluster"))
        if isinstance(info, Silent):
            return Result(Effect.FAILED, f"{self.name}: {info.why}.")
        if info.get("cluster_enabled"):
            return Result(
                Effect.FAILED, f"{self.name} is a cluster: what lies in several places cannot be moved at once."
            )
        return Result(Effect.VERIFIED, f"{self.name} answers.")

    async def close(self) -> None:
        await self.db.aclose()

    async def _ask(self, question: Awaitable[T]) -> T | Silent:
        return await asked(question, self.seconds)

    async def _keys(self, order: Order) -> list[bytes] | None:
        """The subject's keys; none where they all lie aside already. None where nothing is known of the subject."""
        keys = await keys_of(self.db, self.patterns, order)
        if keys or await recorded(self.db, order) or await was_put_aside(self.db, self.patterns, order):
            return keys
        return None

    async def _evidence(self, order: Order) -> list[Json] | None:
        keys = await self._keys(order)
        return None if keys is None else await evidence(self.db, keys)

    async def _before(self, order: Order) -> tuple[list[bytes], bool] | None:
        """The subject's keys, and whether others have any."""
        keys = await self._keys(order)
        if keys is None:
            return None
        return keys, await others_remembered(self.db, self.patterns, order, keys)

    async def _aside_and_back(self, order: Order) -> tuple[Record | None, Record | None]:
        return await recorded(self.db, order), await recorded(self.db, order, reverted=True)

    async def _readable(self, order: Order) -> Result:
        record = await recorded(self.db, order)
        if record is None:
            return Result(Effect.NOT_IN_FORCE, "Asked again, nothing of it was put aside.")
        keys = await keys_of(self.db, self.patterns, order)
        if keys and not record.keys:
            return Result(Effect.NOT_IN_FORCE, f"{_counted(len(keys))} can be read: flush again.")
        old = [key for key in keys if key in record.keys and await is_old(self.db, order, key)]
        if old:
            words = f"{_counted(len(old))} can be read again with what was put aside: somebody wrote it back."
            return Result(Effect.NOT_IN_FORCE, f"{words} Block the subject first, then flush again.")
        if record.others and not await others_remembered(self.db, self.patterns, order, keys):
            return Result(Effect.UNKNOWN, "The subject's memory is gone, and everybody else's as well: look there.")
        new = f" {_counted(len(keys))} of new memory was written since." if keys else ""
        return Result(Effect.VERIFIED, f"Asked again, nothing of what was put aside can be read any more.{new}")

    def _nothing(self) -> Result:
        words = "No memory of it was found. Is it the right id, and are the connector's key patterns the application's?"
        return Result(Effect.FAILED, f"{words} Nothing was changed.")

    def _unsure(self, silent: Silent) -> Result:
        if silent.refused:
            return Result(Effect.FAILED, f"{self.name}: {silent.why}. Nothing was changed.")
        return Result(Effect.UNKNOWN, f"{self.name}: {silent.why}. It may be done.")


def _counted(keys: int) -> str:
    return f"{keys} key" if keys == 1 else f"{keys} keys"
