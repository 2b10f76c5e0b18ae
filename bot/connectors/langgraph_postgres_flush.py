"""LangGraph's memory of a session or a user: put aside in one transaction, and put back where nothing new stands.

Decides what is said of a move, and what proves it. The application keeps running: a thread that begins anew is new memory
and never touched; a run that was under way and continues an old checkpoint is found out. Contents never leave the database.
"""

from __future__ import annotations

from bot.connectors.contract import Effect, Nature, Order, Plan, Result
from bot.connectors.langgraph_postgres_moves import (
    ASIDE,
    SOURCES,
    aside,
    back,
    evidence,
    exists,
    kept,
    make_room,
    others_remembered,
    threads_of,
    was_put_aside,
    written_back,
)
from bot.connectors.langgraph_postgres_wire import Connection, Database, Silent, Undone
from bot.incident.columns import Json
from bot.incident.redact import redact
from bot.incident.words import ActionKind, ScopeKind

LISTED = 200
"""Threads named in a snapshot. Its digests are over all of them."""
KNOWN = frozenset({ScopeKind.SESSION, ScopeKind.USER})
NOTHING = "no checkpoint of it was found. Is it the right id, and the right database?"


class LangGraphPostgres:
    nature = Nature.SYSTEM

    def __init__(self, name: str, database: Database, user_key: str) -> None:
        self.name, self.database, self.user_key = name, database, user_key

    def can_revert(self, kind: ActionKind) -> bool:
        return True

    def effect_of(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> str:
        whom = "everyone" if scope_kind is ScopeKind.EVERYONE else f"{scope_kind.value.replace('_', ' ')} {scope_id}"
        if kind is not ActionKind.FLUSH_MEMORY or scope_kind not in KNOWN:
            return (
                f"{self.name} will refuse to {kind.value.replace('_', ' ')} for {whom}: it flushes one session or user."
            )
        return f"The threads of {whom} are put aside at once, and can be put back. Nobody else's memory is touched."

    async def plan(self, order: Order) -> Plan:
        async def count(db: Connection) -> int:
            return len(await threads_of(db, order, self.user_key))

        sentence = self.effect_of(order.kind, order.scope_kind, order.scope_id)
        threads = await self.database.look(count)
        return Plan(sentence if isinstance(threads, Silent) else f"{sentence} It has {_threads(threads)} now.")

    async def snapshot(self, order: Order) -> Result:
        """CAPTURED with the threads' ids, counts and digests: never what was said."""

        async def seen(db: Connection) -> Json:
            threads = await self._threads_or_none(db, order)
            return {
                "threads": [redact(thread) for thread in threads[:LISTED]],
                "count": len(threads),
                **await evidence(db, threads),
            }

        found = await self.database.look(seen)
        if isinstance(found, Silent):
            return Result(Effect.FAILED, f"{self.name}: {found.why}.")
        return Result(Effect.CAPTURED, f"Ids and digests of {_threads(found['count'])}, before the action.", found)

    async def apply(self, order: Order) -> Result:
        async def move(db: Connection) -> tuple[int, int | None]:
            threads = await self._threads_or_none(db, order)
            await make_room(db)
            return len(threads), await aside(db, order, threads)

        moved = await self.database.change(move)
        match moved:
            case Silent():
                return self._unsure(moved)
            case (_, None):
                return Result(Effect.APPLIED, "It was put aside before under this order: nothing more was moved.")
            case (0, _):
                return Result(Effect.APPLIED, "It was put aside before by another order, and stays there.")
            case (threads, rows):
                return Result(Effect.APPLIED, f"{self.name} put aside {_threads(threads)} ({rows} rows).")

    async def verify(self, order: Order) -> Result:
        """What was put aside can no longer be read for the subject, and others' threads still can."""

        async def look(db: Connection) -> Result:
            record = await kept(db, order)
            if record is None or record.reverted:
                return Result(Effect.NOT_IN_FORCE, "Asked again, nothing of it is put aside.")
            threads = await threads_of(db, order, self.user_key)
            if threads and not record.threads:
                return Result(Effect.NOT_IN_FORCE, f"{_threads(len(threads))} can be read: flush again.")
            if old := await written_back(db, order, threads):
                words = f"{old} checkpoints continue what was put aside: a run was under way and wrote it back."
                return Result(Effect.NOT_IN_FORCE, f"{words} Block the subject first, then flush again.")
            if record.others and not await others_remembered(db, threads):
                return Result(Effect.UNKNOWN, "The subject's memory is gone, and everybody else's as well: look there.")
            new = f" {_threads(len(threads))} began anew since." if threads else ""
            return Result(Effect.VERIFIED, f"Asked again, nothing of what was put aside can be read any more.{new}")

        return self._seen(await self.database.look(look))

    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        """By the database's own record of what was moved; the snapshot is evidence only."""

        async def move(db: Connection) -> int | None:
            record = await kept(db, order, lock=True)
            if record is None:
                raise Undone("nothing is put aside under this order")
            return None if record.reverted else await back(db, order, record.threads)

        moved = await self.database.change(move)
        if isinstance(moved, Silent):
            return self._unsure(moved)
        words = "It was put back before." if moved is None else f"{self.name} put back {moved} rows."
        return Result(Effect.APPLIED, words)

    async def verify_revert(self, order: Order) -> Result:
        async def look(db: Connection) -> Result:
            record = await kept(db, order)
            if record is None:
                return Result(Effect.REVERTED, "Asked again, nothing is put aside under this order.")
            if not record.reverted:
                return Result(Effect.VERIFIED, "Asked again, it is still put aside.")
            seen = await evidence(db, list(record.threads))
            rows = seen["checkpoints"]["rows"]
            return Result(
                Effect.REVERTED, f"Asked again, {rows} checkpoints of {_threads(len(record.threads))} can be read."
            )

        return self._seen(await self.database.look(look))

    async def health(self) -> Result:
        async def look(db: Connection) -> str | None:
            for source in SOURCES:
                if not await db.fetchval("SELECT to_regclass($1) IS NOT NULL", source):
                    return f"it has no table {source}: is `table_schema` right?"
            if await exists(db) or await db.fetchval("SELECT has_database_privilege(current_database(), 'CREATE')"):
                return None
            return f"its user cannot make the schema {ASIDE}: have an administrator make it (docs/connectors.md)"

        wrong = await self.database.look(look)
        why = wrong.why if isinstance(wrong, Silent) else wrong
        if why is not None:
            return Result(Effect.FAILED, f"{self.name}: {why}.")
        return Result(Effect.VERIFIED, f"{self.name} answers, and has LangGraph's tables.")

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _threads_or_none(self, db: Connection, order: Order) -> list[str]:
        """The subject's threads; none where they all lie aside already. Raises Undone where nothing is known of it."""
        threads = await threads_of(db, order, self.user_key)
        if not threads and await kept(db, order) is None and not await was_put_aside(db, order, self.user_key):
            raise Undone(NOTHING)
        return threads

    def _seen(self, result: Result | Silent) -> Result:
        return Result(Effect.UNKNOWN, f"{self.name}: {result.why}.") if isinstance(result, Silent) else result

    def _unsure(self, silent: Silent) -> Result:
        if silent.refused:
            return Result(Effect.FAILED, f"{self.name}: {silent.why}. Nothing was changed.")
        return Result(Effect.UNKNOWN, f"{self.name}: {silent.why}. It may be done.")


def _threads(count: int) -> str:
    return f"{count} thread" if count == 1 else f"{count} threads"
