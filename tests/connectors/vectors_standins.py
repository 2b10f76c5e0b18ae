"""Stand-ins for Chroma and Qdrant: what their HTTP does with documents' metadata, and refusals of what they refuse.

Chroma's answers were taken from chromadb 1.5.9 (tests/integration/test_chroma.py runs the same checks against it), Qdrant's
from its API reference 1.17, for its server comes in no package.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "s3cret-of-the-library-000"
Fields = dict[str, Any]
Rows = dict[str | int, Fields]


@dataclass
class Chroma:
    """One collection, `kb-main`. Bodies with keys that Chroma does not know are refused, as its server does."""

    rows: Rows = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[_authorized("authorization", f"Bearer {TOKEN}", self.asked)])
        place = "/api/v2/tenants/default_tenant/databases/default_database/collections"
        app.router.add_get(place + "/{name}", self.collection)
        app.router.add_post(place + "/{id}/get", self.get)
        app.router.add_post(place + "/{id}/update", self.update)
        return app

    async def collection(self, request: web.Request) -> web.Response:
        if request.match_info["name"] != "kb-main":
            return web.json_response({"error": "NotFoundError", "message": "Collection does not exist"}, status=404)
        return web.json_response({"id": "bdfddca4", "name": "kb-main", "metadata": None})

    async def get(self, request: web.Request) -> web.Response:
        body = await request.json()
        if not body.keys() <= {"ids", "where", "include", "limit", "offset"} or request.match_info["id"] != "bdfddca4":
            return web.Response(status=422)
        wanted = body.get("ids") or self.rows
        found = [one for one in self.rows if one in wanted and _chroma_matches(self.rows[one], body.get("where"))]
        page = found[body["offset"] :][: body["limit"]]
        metadatas = [self.rows[one] or None for one in page]
        return web.json_response({"ids": page, "metadatas": metadatas, "documents": None, "include": ["metadatas"]})

    async def update(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.keys() != {"ids", "metadatas"} or len(body["ids"]) != len(body["metadatas"]):
            return web.Response(status=422)
        for one, fields in zip(body["ids"], body["metadatas"], strict=True):
            if one in self.rows:
                self.rows[one] = {key: value for key, value in (self.rows[one] | fields).items() if value is not None}
        return web.json_response({})


def _chroma_matches(fields: Fields, where: Any) -> bool:
    if where is None:
        return True
    ((key, condition),) = where.items()
    if key == "$and":
        return all(_chroma_matches(fields, one) for one in condition)
    ((operator, value),) = condition.items()
    same = key in fields and type(fields[key]) is type(value) and fields[key] == value
    return same if operator == "$eq" else not same  # `$ne` is true also where the key is missing


@dataclass
class Qdrant:
    """One collection, `kb-main`. A PUT of a payload writes over it, as the real one does."""

    rows: Rows = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    acknowledge: bool = False
    """Answer that it was taken, not that it is done."""

    def app(self) -> web.Application:
        app = web.Application(middlewares=[_authorized("api-key", TOKEN, self.asked)])
        app.router.add_get("/collections/kb-main", self.collection)
        app.router.add_post("/collections/kb-main/points/scroll", self.scroll)
        app.router.add_post("/collections/kb-main/points/payload", self.payload)
        app.router.add_put("/collections/kb-main/points/payload", self.overwrite)
        app.router.add_post("/collections/kb-main/points/batch", self.batch)
        return app

    async def collection(self, request: web.Request) -> web.Response:
        return _ok({"status": "green", "points_count": len(self.rows)})

    async def scroll(self, request: web.Request) -> web.Response:
        body = await request.json()
        found = sorted((one for one in self.rows if _qdrant_matches(one, self.rows[one], body["filter"])), key=str)
        found = [one for one in found if str(one) >= str(body.get("offset", ""))]
        page, rest = found[: body["limit"]], found[body["limit"] :]
        points = [{"id": one, "payload": self.rows[one]} for one in page]
        return _ok({"points": points, "next_page_offset": rest[0] if rest else None})

    async def payload(self, request: web.Request) -> web.Response:
        return _ok(self._done(request, {"set_payload": await request.json()}))

    async def batch(self, request: web.Request) -> web.Response:
        return _ok([self._done(request, one) for one in (await request.json())["operations"]])

    async def overwrite(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.rows |= {one: dict(body["payload"]) for one in body["points"]}
        return _ok({"status": "completed"})

    def _done(self, request: web.Request, operation: Any) -> dict[str, object]:
        assert request.query["wait"] == "true"
        ((kind, body),) = operation.items()
        for one in body["points"]:
            if kind == "set_payload":
                self.rows[one] = self.rows[one] | body["payload"]
            else:
                assert kind == "delete_payload"
                self.rows[one] = {key: value for key, value in self.rows[one].items() if key not in body["keys"]}
        return {"operation_id": 1, "status": "acknowledged" if self.acknowledge else "completed"}


def _qdrant_matches(point: str | int, fields: Fields, wanted: Any) -> bool:
    def holds(condition: Any) -> bool:
        if "has_id" in condition:
            return point in condition["has_id"]
        value: Any = fields
        for part in condition["key"].split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return type(value) is type(condition["match"]["value"]) and value == condition["match"]["value"]

    return all(map(holds, wanted.get("must", []))) and not any(map(holds, wanted.get("must_not", [])))


def _ok(result: object) -> web.Response:
    return web.json_response({"result": result, "status": "ok", "time": 0.001})


def _authorized(header: str, value: str, asked: list[str]) -> Any:
    @web.middleware
    async def check(request: web.Request, handler: Any) -> web.StreamResponse:
        asked.append(f"{request.method} {request.path_qs}")
        if request.headers.get(header) != value:
            return web.json_response({"error": "who are you?"}, status=401)
        answer: web.StreamResponse = await handler(request)
        return answer

    return check
