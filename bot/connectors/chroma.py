"""The kind `chroma`: documents in Chroma (HTTP API v2), taken out of retrieval by a mark in their metadata.

Decides what the organisation's file must say and how Chroma is asked: `update` merges metadata and removes a key whose value
is null; `get` takes the same filter as `query`. Ids go in bodies, never in paths. Measured on Chroma 1.5.9.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal
from urllib.parse import quote

import httpx
from pydantic import Field, HttpUrl, SecretStr

from bot.connectors.contract import ConnectorSettings
from bot.connectors.given import address, secret
from bot.connectors.http import Answered, Exchange, client, exchange
from bot.connectors.vectors import Change, Document, Meaning, Unanswered, Wanted, parsed
from bot.connectors.vectors_restrict import Documents
from bot.incident.columns import Json
from bot.incident.words import ActionKind

PAGE = 250
"""Documents of one answer: hosted Chroma allows 300."""
BYTES = 8 * 1024 * 1024
"""Read of one answer: some frameworks keep a whole node in each document's metadata."""


class Settings(ConnectorSettings):
    kind: Literal["chroma"]
    enforces: ClassVar[frozenset[ActionKind]] = frozenset({ActionKind.RESTRICT_RAG})
    url: HttpUrl
    """The server: `http://localhost:8000`."""
    token_env: str | None = None
    """Names the token, sent in `token_header`. Chroma's own server asks for none; what stands before it may."""
    token_header: Literal["authorization", "x-chroma-token"] = "authorization"  # noqa: S105 — a header's name
    """`authorization` sends `Bearer <token>`."""
    tenant: str = "default_tenant"
    database: str = "default_database"
    collections: tuple[str, ...] = Field(min_length=1)
    """By name. Only these are ever looked at."""
    field: str = Field(default="quarantined", pattern=r"^[A-Za-z0-9_]+$")
    """The metadata key that the application's queries leave out: `where={"quarantined": {"$ne": True}}`."""
    source_fields: tuple[str, ...] = ("source",)
    """Metadata keys that name a document which lies in several pieces. A document's own id always counts."""
    applications: dict[str, tuple[str, ...]] = Field(default={})
    """Which collections an application's answers are made from. Without it, the collection of its name."""

    def connect(self, name: str, env: Mapping[str, str]) -> Documents:
        token = secret(name, "token_env", self.token_env, env) if self.token_env else None
        root = address(name, "url", self.url).rstrip("/")
        place = f"{root}/api/v2/tenants/{quote(self.tenant, safe='')}/databases/{quote(self.database, safe='')}"
        index = Chroma(client(), place, self.collections, token, self.token_header, self.timeout_seconds)
        return Documents(name, index, Meaning(self.field, self.source_fields, self.applications))


@dataclass(frozen=True)
class Chroma:
    http: httpx.AsyncClient
    place: str
    collections: tuple[str, ...]
    token: SecretStr | None
    header: str
    seconds: float

    async def fetch(
        self, collection: str, wanted: Wanted, *, visible: str | None = None, limit: int
    ) -> Sequence[Document]:
        found: list[Document] = []
        asked = _asked(wanted, visible)
        collection_id = await self._id(collection)
        while len(found) < limit:
            page = min(PAGE, limit - len(found))
            body = asked | {"include": ["metadatas"], "limit": page, "offset": len(found)}
            answer = await self._send("POST", f"/{collection_id}/get", body)
            some = _documents(collection, parsed(answer), answer)
            found += some
            if len(some) < page:
                break
        return found

    async def change(self, change: Change) -> Exchange:
        try:
            collection_id = await self._id(change.collection)
        except Unanswered as error:
            return error.answer
        metadata = {**change.merge, **dict.fromkeys(change.remove)}
        answer: Exchange | None = None
        for start in range(0, len(change.ids), PAGE):
            ids = change.ids[start : start + PAGE]
            body = {"ids": ids, "metadatas": [metadata] * len(ids)}
            answer = await self._send("POST", f"/{collection_id}/update", body)
            if not isinstance(answer, Answered) or answer.status != 200:
                break
        assert answer is not None
        return answer

    async def health(self) -> Exchange:
        answer: Exchange | None = None
        for collection in self.collections:
            answer = await self._send("GET", f"/{quote(collection, safe='')}")
            if not isinstance(answer, Answered) or answer.status != 200:
                break
        assert answer is not None
        return answer

    async def close(self) -> None:
        await self.http.aclose()

    async def _id(self, collection: str) -> str:
        """Asked each time: a collection that was made anew has another."""
        answer = await self._send("GET", f"/{quote(collection, safe='')}")
        found = parsed(answer)
        if not isinstance(found, dict) or not isinstance(found.get("id"), str):
            raise Unanswered(answer)
        return quote(found["id"], safe="")

    async def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Exchange:
        headers = {"Content-Type": "application/json"}
        if self.token is not None:
            value = self.token.get_secret_value()
            headers[self.header] = f"Bearer {value}" if self.header == "authorization" else value
        return await exchange(
            self.http,
            method,
            f"{self.place}/collections{path}",
            seconds=self.seconds,
            headers=headers,
            content=json.dumps(body).encode() if body is not None else None,
            limit=BYTES,
        )


def _asked(wanted: Wanted, visible: str | None) -> Json:
    """The selecting part of a `get`. An empty list of ids would mean all of them: it is left out."""
    conditions: list[Json] = []
    if wanted.key is not None:
        conditions.append({wanted.key: {"$eq": wanted.value}})
    if visible is not None:
        conditions.append({visible: {"$ne": True}})
    where = {"$and": conditions} if len(conditions) > 1 else conditions[0] if conditions else None
    return ({"ids": list(wanted.ids)} if wanted.ids else {}) | ({"where": where} if where else {})


def _documents(collection: str, body: Any, answer: Exchange) -> list[Document]:
    match body:
        case {"ids": list(ids), "metadatas": list(metadatas)} if len(ids) == len(metadatas):
            return [
                Document(collection, str(one), dict(fields or {})) for one, fields in zip(ids, metadatas, strict=True)
            ]
        case _:
            raise Unanswered(answer)
