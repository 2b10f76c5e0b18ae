"""A LiteLLM proxy with a database, as far as the connector knows it: answers with the shapes of version 1.106.

The admin API needs a database engine that cannot be had from a package registry, so these are recorded shapes.
`tests/integration/test_litellm_admin.py` holds what is sent against the running proxy's own description of itself.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

MASTER, MALLORY, ALICE = "sk-master-of-the-stand-in", "sk-mallory-0001", "sk-alice-0002"


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass
class Key:
    blocked: bool | None = None
    rpm_limit: int | None = None


@dataclass
class Model:
    name: str
    blocked: bool = False
    db_model: bool = True


@dataclass
class StandIn:
    keys: dict[str, Key] = field(default_factory=lambda: {hashed(MALLORY): Key(), hashed(ALICE): Key()})
    models: dict[str, Model] = field(default_factory=lambda: {"dep-1": Model("gpt"), "dep-2": Model("other")})
    enforces: bool = True
    """False: everything is written down, and nothing is held to it, as with `/customer/block`."""
    asked: Counter[str] = field(default_factory=Counter)
    """How often a key with a limit was served since the limit was set: the minute does not end here."""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/key/info", self.admin(self.key_info))
        app.router.add_get("/key/list", self.admin(self.key_list))
        app.router.add_get("/model/info", self.admin(self.model_info))
        for path, change in (
            ("/key/block", {"blocked": True}),
            ("/key/unblock", {"blocked": False}),
            ("/key/update", {}),
            ("/model/block", {"blocked": True}),
            ("/model/unblock", {"blocked": False}),
        ):
            app.router.add_post(path, self.admin(self.change(change)))
        app.router.add_post("/v1/chat/completions", self.chat)
        return app

    def admin(self, handle: Any) -> Any:
        async def checked(request: web.Request) -> web.Response:
            if request.headers.get("Authorization") != f"Bearer {MASTER}":
                return _error("Authentication Error, Invalid proxy server token passed", 401)
            answer: web.Response = await handle(request)
            return answer

        return checked

    async def key_info(self, request: web.Request) -> web.Response:
        key = self.keys.get(request.query["key"])
        if key is None:
            return _error("Key not found in database", 404)
        info = {"key_name": "sk-...0001", "spend": 0.0, "models": [], "metadata": {}, **vars(key)}
        return web.json_response({"key": request.query["key"], "info": info})

    async def key_list(self, request: web.Request) -> web.Response:
        return web.json_response({"keys": list(self.keys)[:1], "total_count": len(self.keys)})

    async def model_info(self, request: web.Request) -> web.Response:
        id = request.query["litellm_model_id"]
        if id not in self.models:
            return web.json_response({"detail": {"error": f"Model id = {id} not found on litellm proxy"}}, status=400)
        model = self.models[id]
        info = {"id": id, "db_model": model.db_model, "blocked": model.blocked, "tpm": None}
        return web.json_response({"data": [{"model_name": model.name, "litellm_params": {}, "model_info": info}]})

    def change(self, change: dict[str, Any]) -> Any:
        async def handle(request: web.Request) -> web.Response:
            said = await request.json()
            one: Key | Model | None
            if "model_id" in said:
                one = self.models.get(said.pop("model_id"))
            else:
                id = said.pop("key")
                one = self.keys.get(id)
                self.asked[id] = 0
            if one is None:
                return _error("Key not found.", 404)
            for name, value in (said | change).items():
                assert hasattr(one, name)
                setattr(one, name, value)
            return web.json_response(vars(one))

        return handle

    async def chat(self, request: web.Request) -> web.Response:
        id = hashed(request.headers["Authorization"].removeprefix("Bearer "))
        key, model = self.keys.get(id), (await request.json())["model"]
        if key is None:
            return _error("Authentication Error, Invalid proxy server token passed", 401)
        if self.enforces:
            if key.blocked:
                return _error(
                    "Authentication Error, Key is blocked. Update via `/key/unblock` if you're an admin.", 401
                )
            self.asked[id] += 1
            if key.rpm_limit is not None and self.asked[id] > key.rpm_limit:
                return _error("Rate limit exceeded for api_key", 429)
            if model in self.models and self.models[model].blocked:
                return _error("Model 'openai/x' is currently paused and cannot accept requests.", 503)
            behind = [one for one in self.models.values() if one.name == model]
            if behind and all(one.blocked for one in behind):
                return _error("litellm.PermissionDeniedError: Model is blocked", 403)
        return web.json_response({"choices": [{"message": {"content": "pong"}}]})


def _error(message: str, status: int) -> web.Response:
    return web.json_response({"error": {"message": message, "code": str(status)}}, status=status)
