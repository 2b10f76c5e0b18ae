"""The kind `qdrant`: documents in Qdrant (REST API), taken out of retrieval by a mark in their payload.

Decides what the organisation's file must say and how Qdrant is asked: `POST …/points/payload` merges (PUT would write over
the whole payload), `wait=true` answers when it is done. Ids and values go in bodies, never in paths. Written from Qdrant's
API reference 1.17; a collection in strict mode needs an index on every field that is named here.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal
from urllib.parse import quote

import httpx
from pydantic import Field, HttpUrl, SecretStr

from bot.connectors.contract import ConnectorSettings
from bot.connectors.given import address, secret
from bot.connectors.http import Answered, Exchange, NoAnswer, client, exchange
from bot.connectors.vectors import Change, Document, Meaning, Unanswered, Wanted, parsed
from bot.connectors.vectors_restrict import Documents
from bot.incident.columns import Json
from bot.incident.words import ActionKind

PAGE = 100
BYTES = 8 * 1024 * 1024
"""Read of one answer: payloads hold the documents' texts."""
LARGEST = 2**64 - 1
"""A point's id is a whole number up to this, or a UUID."""


class Settings(ConnectorSettings):
    kind: Literal["qdrant"]
    enforces: ClassVar[frozenset[ActionKind]] = frozenset({ActionKind.RESTRICT_RAG})
    url: HttpUrl
    """The server: `http://localhost:6333`."""
    api_key_env: str | None = None
    """Names the key, sent as `api-key`. It needs read and write on the collections."""
    collections: tuple[str, ...] = Field(min_length=1)
    """By name. Only these are ever looked at."""
    field: str = Field(default="quarantined", pattern=r"^[A-Za-z0-9_]+$")
    """The payload key that the application's queries leave out: `must_not: [{key: quarantined, match: {value: true}}]`."""
    source_fields: tuple[str, ...] = ("metadata.source",)
    """Payload keys that name a document which lies in several points; LangChain's default. A point's id always counts."""
    applications: dict[str, tuple[str, ...]] = Field(default={})
    """Which collections an application's answers are made from. Without it, the collection of its name."""

    def connect(self, name: str, env: Mapping[str, str]) -> Documents:
        key = secret(name, "api_key_env", self.api_key_env, env) if self.api_key_env else None
        root = address(name, "url", self.url).rstrip("/")
        index = Qdrant(client(), root, self.collections, key, self.timeout_seconds)
        return Documents(name, index, Meaning(self.field, self.source_fields, self.applications))


@dataclass(frozen=True)
class Qdrant:
    http: httpx.AsyncClient
    root: str
    collections: tuple[str, ...]
    key: SecretStr | None
    seconds: float

    async def fetch(
        self, collection: str, wanted: Wanted, *, visible: str | None = None, limit: int
    ) -> Sequence[Document]:
        points = [point for one in wanted.ids if (point := _point(one)) is not None]
        if wanted.ids and not points:
            return []  # nothing else can be the id of a point
        asked = _filter(points, wanted, visible)
        found: list[Document] = []
        offset: object = None
        while len(found) < limit:
            body = {"limit": min(PAGE, limit - len(found)), "with_payload": True, "with_vector": False, "filter": asked}
            body |= {"offset": offset} if offset is not None else {}
            answer = await self._send("POST", f"{_named(collection)}/points/scroll", body)
            some, offset = _documents(collection, parsed(answer), answer)
            found += some
            if offset is None:
                break
        return found

    async def change(self, change: Change) -> Exchange:
        """Merging and removing in one request, so that nothing is left between the two."""
        operations: list[Json] = []
        if change.merge:
            operations.append({"set_payload": {"payload": dict(change.merge), "points": list(change.ids)}})
        if change.remove:
            operations.append({"delete_payload": {"keys": list(change.remove), "points": list(change.ids)}})
        path, body = "/points/batch", {"operations": operations}
        if not change.remove:
            path, body = "/points/payload", operations[0]["set_payload"]
        answer = await self._send("POST", f"{_named(change.collection)}{path}?wait=true", body)
        if isinstance(answer, Answered) and answer.status == 200 and not _completed(answer.json):
            return NoAnswer("it took the order and did not say that it is done")
        return answer

    async def health(self) -> Exchange:
        answer: Exchange | None = None
        for collection in self.collections:
            answer = await self._send("GET", _named(collection))
            if not isinstance(answer, Answered) or answer.status != 200:
                break
        assert answer is not None
        return answer

    async def close(self) -> None:
        await self.http.aclose()

    async def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Exchange:
        headers = {"Content-Type": "application/json"}
        if self.key is not None:
            headers["api-key"] = self.key.get_secret_value()
        content = json.dumps(body).encode() if body is not None else None
        return await exchange(
            self.http, method, self.root + path, seconds=self.seconds, headers=headers, content=content, limit=BYTES
        )


def _named(collection: str) -> str:
    return f"/collections/{quote(collection, safe='')}"


def _point(text: str) -> str | int | None:
    """A point's id: a whole number or a UUID as it is written; None where the text is neither."""
    if text.isascii() and text.isdigit():
        return int(text) if len(text) <= 20 and int(text) <= LARGEST else None
    try:
        return text if str(uuid.UUID(text)) == text else None
    except ValueError:
        return None


def _filter(points: Sequence[str | int], wanted: Wanted, visible: str | None) -> Json:
    must: list[Json] = [{"has_id": list(points)}] if points else []
    if wanted.key is not None:
        must.append({"key": wanted.key, "match": {"value": wanted.value}})
    hidden = [{"key": visible, "match": {"value": True}}] if visible is not None else []
    return ({"must": must} if must else {}) | ({"must_not": hidden} if hidden else {})


def _completed(body: object) -> bool:
    """Every operation of the answer is done: one `result`, or a list of them for a batch."""
    match body:
        case {"result": {"status": status}}:
            return bool(status == "completed")
        case {"result": [*results]} if results:
            return all(isinstance(one, dict) and one.get("status") == "completed" for one in results)
        case _:
            return False


def _documents(collection: str, body: Any, answer: Exchange) -> tuple[list[Document], object]:
    match body:
        case {"result": {"points": list(points)} as result}:
            try:
                found = [Document(collection, one["id"], dict(one.get("payload") or {})) for one in points]
            except (KeyError, TypeError, ValueError):
                raise Unanswered(answer) from None
            return found, result.get("next_page_offset")
        case _:
            raise Unanswered(answer)
