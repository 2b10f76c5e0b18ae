"""Documents are taken out of retrieval by a mark in their metadata, and put back as they were, in any vector database.

Decides what is said of it, and what proves it: a query with the application's own filter no longer returns them and still
returns others. The application has to use that filter; what it does without is not seen from here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TypeVar

from bot.connectors.contract import Effect, Nature, Order, Plan, Result
from bot.connectors.http import Answered, read, silence
from bot.connectors.vectors import (
    OURS,
    Change,
    Document,
    Index,
    Meaning,
    Unanswered,
    Unmeant,
    Wanted,
    find,
    others_are_hidden,
)
from bot.connectors.vectors_marks import mark_of, marking, unmarking
from bot.connectors.vectors_snapshot import digests, taken
from bot.incident.columns import Json
from bot.incident.words import ActionKind, ScopeKind

T = TypeVar("T")
KNOWN = frozenset({ScopeKind.DOCUMENT, ScopeKind.APPLICATION, ScopeKind.EVERYONE})


class Documents:
    nature = Nature.SYSTEM

    def __init__(self, name: str, index: Index, meaning: Meaning) -> None:
        self.name, self.index, self.meaning = name, index, meaning

    def can_revert(self, kind: ActionKind) -> bool:
        return True

    def effect_of(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> str:
        what = (
            "all documents" if scope_kind is ScopeKind.EVERYONE else f"{scope_kind.value.replace('_', ' ')} {scope_id}"
        )
        if kind is not ActionKind.RESTRICT_RAG or scope_kind not in KNOWN:
            whom = "everyone" if scope_kind is ScopeKind.EVERYONE else what
            return f"{self.name} will refuse to {kind.value.replace('_', ' ')} for {whom}: it restricts documents only."
        of = "Every document of " if scope_kind is ScopeKind.APPLICATION else ""
        words = f"{of}{what} is marked, and no longer returned by queries that leave out what is marked. It can be put back."
        return words[0].upper() + words[1:]

    async def plan(self, order: Order) -> Plan:
        sentence = self.effect_of(order.kind, order.scope_kind, order.scope_id)
        found = await self._asked(find(self.index, self.meaning, order))
        return Plan(sentence if isinstance(found, Result) else f"{sentence} It is {_counted(len(found))} now.")

    async def snapshot(self, order: Order) -> Result:
        """CAPTURED with every id and a digest of its metadata, and some metadata redacted and clipped; never texts."""
        found = await self._asked(find(self.index, self.meaning, order))
        if isinstance(found, Result):
            return Result(Effect.FAILED, found.detail)
        if not found:
            return self._nothing()
        return Result(
            Effect.CAPTURED,
            f"Ids and digests of {_counted(len(found))}, before the action.",
            taken(found, self.meaning.field),
        )

    async def apply(self, order: Order) -> Result:
        found = await self._asked(find(self.index, self.meaning, order))
        if isinstance(found, Result):
            return Result(Effect.FAILED, f"{found.detail} Nothing was changed.")
        if not found:
            return self._nothing()
        field, mark = self.meaning.field, mark_of(order)
        unmarked = [one for one in found if not one.carries(mark) or one.fields.get(field) is not True]
        if not unmarked:
            return Result(Effect.APPLIED, "They were marked before under this order: nothing more was changed.")
        return await self._changed(marking(unmarked, field, mark), f"{self.name} marked {_counted(len(unmarked))}.")

    async def verify(self, order: Order) -> Result:
        seen = await self._asked(self._in_force(order))
        return seen if isinstance(seen, Result) else Result(*seen)

    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        found = await self._asked(self._marked(order, snapshot))
        if isinstance(found, Result):
            return Result(Effect.FAILED, f"{found.detail} Nothing was changed.")
        marked, changed = found
        if changed:
            return Result(
                Effect.FAILED,
                f"Somebody changed {_counted(changed)} since. Nothing was put back. Look there: what is to be found again, "
                f"take “{self.meaning.field}” and the keys that begin with “{OURS}” out of its metadata by hand.",
            )
        if not marked:
            return Result(
                Effect.FAILED, "No document carries this order's mark any more: there is nothing to put back."
            )
        changes = unmarking(marked, self.meaning.field, mark_of(order))
        return await self._changed(changes, f"{self.name} put back {_counted(len(marked))}.")

    async def verify_revert(self, order: Order) -> Result:
        seen = await self._asked(self._put_back(order))
        return seen if isinstance(seen, Result) else Result(*seen)

    async def health(self) -> Result:
        answer = await self.index.health()
        if isinstance(answer, Answered) and answer.status == 200:
            return Result(Effect.VERIFIED, f"{self.name} answers, and has the collections.")
        return Result(Effect.FAILED, silence(self.name, answer).detail)

    async def close(self) -> None:
        await self.index.close()

    async def _in_force(self, order: Order) -> tuple[Effect, str]:
        found = await find(self.index, self.meaning, order)
        if not any(one.carries(mark_of(order)) for one in found):
            return Effect.NOT_IN_FORCE, "Asked again, no document carries this order's mark."
        returned = await find(self.index, self.meaning, order, visible=True)
        if returned:
            words = f"A query as the application asks still returns {len(returned)} of {_counted(len(found))}."
            return Effect.NOT_IN_FORCE, f"{words} Were they written anew? Then apply it again."
        if await others_are_hidden(self.index, self.meaning, order, found):
            return (
                Effect.UNKNOWN,
                "They are no longer returned, and nothing else of the collection is: too much is marked.",
            )
        return Effect.VERIFIED, f"A query as the application asks returns none of {_counted(len(found))} any more."

    async def _put_back(self, order: Order) -> tuple[Effect, str]:
        found = await find(self.index, self.meaning, order)
        if any(one.carries(mark_of(order)) for one in found):
            return Effect.VERIFIED, "Asked again, they are still marked."
        returned = await find(self.index, self.meaning, order, visible=True)
        return Effect.REVERTED, f"A query as the application asks returns {len(returned)} of {_counted(len(found))}."

    async def _marked(self, order: Order, snapshot: Json | None) -> tuple[list[Document], int]:
        """What carries the order's mark, and how many documents somebody has changed since."""
        field, mark = self.meaning.field, mark_of(order)
        marked = [one for one in await find(self.index, self.meaning, order) if one.carries(mark)]
        before = digests(snapshot)
        lost = set(before) - {(one.collection, one.id) for one in marked}
        still_there = await self._exist(lost) if marked else 0
        changed = [
            one
            for one in marked
            if one.fields.get(field) is not True
            or not one.restorable
            or before.get((one.collection, one.id), one.digest(field)) != one.digest(field)
        ]
        return marked, len(changed) + still_there

    async def _exist(self, documents: set[tuple[str, str | int]]) -> int:
        """How many of them exist. What was deleted since cannot be put back, and need not be."""
        count = 0
        for collection in {collection for collection, _ in documents}:
            ids = tuple(str(one) for where, one in documents if where == collection)
            count += len(await self.index.fetch(collection, Wanted(ids=ids), limit=len(ids)))
        return count

    async def _changed(self, changes: Sequence[Change], words: str) -> Result:
        for at, change in enumerate(changes):
            result = read(self.name, await self.index.change(change), {200})
            if result.effect is Effect.FAILED and at:
                return Result(Effect.UNKNOWN, f"{self.name} took a part of it and refused the rest. Ask it again.")
            if result.effect is not Effect.APPLIED:
                return result
        return Result(Effect.APPLIED, words)

    async def _asked(self, question: Awaitable[T]) -> T | Result:
        try:
            return await question
        except Unmeant as error:
            return Result(Effect.UNKNOWN, f"{self.name}: {error}.")
        except Unanswered as error:
            return silence(self.name, error.answer)

    def _nothing(self) -> Result:
        words = "No such document was found. Is it the right id, and are `collections` and `source_fields` the application's?"
        return Result(Effect.FAILED, f"{words} Nothing was changed.")


def _counted(documents: int) -> str:
    return f"{documents} document" if documents == 1 else f"{documents} documents"
