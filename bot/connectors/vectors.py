"""Documents in a vector database, seen the same way whichever it is: what is asked of it, and which documents are meant.

Decides which documents an order means. How they are marked is `vectors_marks`'s, what an exchange looks like on the wire
`chroma`'s and `qdrant`'s, and what is said of it `vectors_restrict`'s.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.connectors.contract import Order
from bot.connectors.http import Answered, Exchange
from bot.incident.columns import Json
from bot.incident.words import ActionKind, ScopeKind

OURS = "firsthour_"
BEFORE = f"{OURS}before"
"""The metadata key that keeps, as JSON text, what stood in the application's field."""
MOST = 1_000
"""Documents of one order: marking them takes seconds, and whoever approved meant documents, not a whole library."""


@dataclass(frozen=True)
class Wanted:
    """Which documents of a collection: those with these ids, or with this value under this key, or all of them."""

    ids: tuple[str, ...] = ()
    key: str | None = None
    value: str = ""


@dataclass(frozen=True)
class Document:
    """What most systems call a chunk: the unit that a query returns."""

    collection: str
    id: str | int
    fields: Json

    def carries(self, mark: str) -> bool:
        return self.fields.get(mark) is True

    @property
    def restorable(self) -> bool:
        """Whether it still says what stood in the application's field."""
        try:
            json.loads(self.fields.get(BEFORE, ""))
        except (TypeError, ValueError):
            return False
        return True

    def others_marks(self, mark: str) -> bool:
        return any(key.startswith(OURS) and key not in {mark, BEFORE} for key in self.fields)

    def digest(self, field: str) -> str:
        """Over all metadata but the marks: it tells whether somebody changed the document since."""
        own = {key: value for key, value in self.fields.items() if key != field and not key.startswith(OURS)}
        return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Change:
    """What to merge into the metadata of these documents, and which keys to take out of it."""

    collection: str
    ids: tuple[str | int, ...]
    merge: Mapping[str, Any]
    remove: tuple[str, ...] = ()


class Unanswered(Exception):
    """A question without an answer that can be used."""

    def __init__(self, answer: Exchange) -> None:
        super().__init__()
        self.answer = answer


class Unmeant(Exception):
    """The order does not say which documents, or says too many. `str(error)` says so in words."""


class Index(Protocol):
    """One vector database. Raises Unanswered where a question gets no answer that can be used."""

    @property
    def collections(self) -> tuple[str, ...]: ...

    async def fetch(
        self, collection: str, wanted: Wanted, *, visible: str | None = None, limit: int
    ) -> Sequence[Document]:
        """At most `limit`. `visible` is the application's filter: only those whose metadata under that key is not true."""
        ...

    async def change(self, change: Change) -> Exchange:
        """The last exchange, or the first that was no success."""
        ...

    async def health(self) -> Exchange: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class Meaning:
    """How the organisation's documents are named."""

    field: str
    """The metadata key that the application filters by."""
    sources: tuple[str, ...]
    """Metadata keys that name a document which lies in several pieces."""
    applications: Mapping[str, tuple[str, ...]]

    def places(self, order: Order, collections: tuple[str, ...]) -> list[tuple[str, Wanted]]:
        """Where to look for what the order means. Raises Unmeant."""
        if order.kind is not ActionKind.RESTRICT_RAG:
            raise Unmeant(f"it restricts documents, and does not {order.kind.value.replace('_', ' ')}")
        match order.scope_kind:
            case ScopeKind.DOCUMENT:
                ways = [Wanted(ids=(order.scope_id,)), *(Wanted(key=key, value=order.scope_id) for key in self.sources)]
                return [(collection, way) for collection in collections for way in ways]
            case ScopeKind.APPLICATION:
                named = self.applications.get(order.scope_id, (order.scope_id,))
                if not set(named) <= set(collections):
                    raise Unmeant("it knows no collections of that application: see `applications`")
                return [(collection, Wanted()) for collection in named]
            case ScopeKind.EVERYONE:
                return [(collection, Wanted()) for collection in collections]
            case other:
                raise Unmeant(f"it restricts a document, an application or everyone, not {other.value}")


async def find(index: Index, meaning: Meaning, order: Order, *, visible: bool = False) -> list[Document]:
    """What the order means; with `visible` only what the application's queries still return. Raises Unmeant, Unanswered."""
    filtered = meaning.field if visible else None
    found: dict[tuple[str, str | int], Document] = {}
    for collection, wanted in meaning.places(order, index.collections):
        for document in await index.fetch(collection, wanted, visible=filtered, limit=MOST + 1):
            found[document.collection, document.id] = document
        if len(found) > MOST:
            raise Unmeant(f"these are more than {MOST:,} documents: switch retrieval off in the application instead")
    return [found[key] for key in sorted(found, key=str)]


async def others_are_hidden(index: Index, meaning: Meaning, order: Order, own: Sequence[Document]) -> bool:
    """Whether no other document of these collections is returned any more, though some are not marked."""
    if order.scope_kind is not ScopeKind.DOCUMENT:
        return False
    mine, hidden = {document.id for document in own}, False
    for collection in {document.collection for document in own}:
        if await index.fetch(collection, Wanted(), visible=meaning.field, limit=1):
            return False
        some = await index.fetch(collection, Wanted(), limit=len(mine) + 1)
        hidden |= any(one.id not in mine and one.fields.get(meaning.field) is not True for one in some)
    return hidden


def parsed(answer: Exchange) -> Any:
    """The body of a success. Raises Unanswered for everything else."""
    if not isinstance(answer, Answered) or answer.status != 200 or answer.json is None:
        raise Unanswered(answer)
    return answer.json
