"""Unleash as far as the connector knows it: one project's flags in one environment, with the shapes of version 7.5.

Written from what a real one answers. `tests/integration/test_unleash.py` runs the same checks against a real one.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

ADMIN = "*:*.an-admin-token-of-the-stand-in"
FRONTEND = "default:development.a-frontend-token-of-the-stand-in"


@dataclass
class Feature:
    enabled: bool = False
    strategies: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class StandIn:
    features: dict[str, Feature] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    """Flags that are switched, and evaluated as if nothing had been."""

    def app(self) -> web.Application:
        app = web.Application()
        at = "/api/admin/projects/default/features/{flag}/environments/development"
        app.router.add_get(at, self.admin(self.read))
        app.router.add_post(f"{at}/strategies", self.admin(self.add))
        app.router.add_delete(f"{at}/strategies/{{id}}", self.admin(self.remove))
        app.router.add_post(f"{at}/on", self.admin(self.on))
        app.router.add_post(f"{at}/off", self.admin(self.off))
        app.router.add_get("/api/frontend", self.evaluate)
        return app

    def admin(self, handle: Any) -> Any:
        async def checked(request: web.Request) -> web.Response:
            if request.headers.get("Authorization") != ADMIN:
                return web.json_response({"name": "AuthenticationRequired"}, status=401)
            found = self.features.get(request.match_info["flag"])
            if found is None:
                return web.json_response({"name": "NotFoundError"}, status=404)
            answer: web.Response = await handle(request, found)
            return answer

        return checked

    async def read(self, request: web.Request, feature: Feature) -> web.Response:
        return web.json_response(
            {"name": request.match_info["flag"], "environment": "development", "enabled": feature.enabled,
             "strategies": feature.strategies}
        )  # fmt: skip

    async def add(self, request: web.Request, feature: Feature) -> web.Response:
        said = await request.json()
        values = [value for one in said["constraints"] for value in one["values"]]
        if any(not 0 < len(value) <= 100 for value in values):
            return web.json_response({"name": "BadDataError"}, status=400)
        # The real one answers and stores more than it was given.
        added = {**said, "id": str(uuid.uuid4()), "variants": [], "sortOrder": 0, "featureName": "x", "segments": []}
        feature.strategies.append(added)
        return web.json_response(added)

    async def remove(self, request: web.Request, feature: Feature) -> web.Response:
        feature.strategies = [one for one in feature.strategies if one["id"] != request.match_info["id"]]
        feature.enabled = feature.enabled and bool(feature.strategies)  # as version 7.5 does
        return web.Response()

    async def on(self, request: web.Request, feature: Feature) -> web.Response:
        if all(one["disabled"] for one in feature.strategies):  # it adds what hits everybody
            everybody = {"name": "flexibleRollout", "title": None, "disabled": False, "constraints": []}
            feature.strategies.append({"id": str(uuid.uuid4()), **everybody})
        feature.enabled = True
        return web.Response()

    async def off(self, request: web.Request, feature: Feature) -> web.Response:
        feature.enabled = False
        return web.Response()

    async def evaluate(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != FRONTEND:
            return web.Response(status=401)
        on = [name for name in self.features if self.on_for(name, dict(request.query))]
        return web.json_response({"toggles": [{"name": name, "enabled": True, "variant": {}} for name in on]})

    def on_for(self, flag: str, context: dict[str, str]) -> bool:
        feature = self.features[flag]
        if flag in self.silent or not feature.enabled:
            return False
        return any(_hits(one, context) for one in feature.strategies if not one["disabled"])


def _hits(strategy: dict[str, Any], context: dict[str, str]) -> bool:
    properties = {key[11:-1]: value for key, value in context.items() if key.startswith("properties[")}
    seen = {**context, **properties}
    return all(seen.get(one["contextName"]) in one["values"] for one in strategy["constraints"])
