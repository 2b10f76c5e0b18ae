"""GitHub and Jira as far as issues go, written from their documentation: they keep what is opened, count, and misbehave.

GitHub: POST and GET /repos/{owner}/{repo}/issues (REST 2022-11-28). Jira: POST /rest/api/3/issue, POST /rest/api/3/search/jql.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "made-up-token-of-a-test"


@dataclass
class Standin:
    issues: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """Method, path and headers of every request."""
    faults: list[Any] = field(default_factory=list)
    """For the next requests that open: a status, `lost` (opened, and the connection dies), `html`, `redirect`, `slow`."""
    port: int = 0
    go: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def opened(self) -> int:
        return len(self.issues)

    async def _misbehave(self, request: web.Request) -> web.StreamResponse | None:
        fault = self.faults.pop(0) if self.faults else None
        match fault:
            case int():
                headers = {"Retry-After": "7"} if fault == 429 else {}
                return web.json_response({"message": "no", "errorMessages": [TOKEN]}, status=fault, headers=headers)
            case "html":
                return web.Response(text="<html>sign in</html>", content_type="text/html")
            case "redirect":
                raise web.HTTPTemporaryRedirect(f"{self.url}/elsewhere")
            case "slow":
                await self.go.wait()
            case "lost":
                self._keep(await request.json())
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
        return None

    def _keep(self, body: dict[str, Any]) -> None:
        self.issues.append(body.get("fields", body))

    # GitHub

    async def github_open(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"message": "Bad credentials"}, status=401)
        if (wrong := await self._misbehave(request)) is not None:
            return wrong
        self._keep(await request.json())
        number = len(self.issues)
        return web.json_response({"number": number, "html_url": "https://evil.example/1", "title": "…"}, status=201)

    async def github_list(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        assert request.query["state"] == "all" and re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", request.query["since"]
        )
        page, size = int(request.query["page"]), int(request.query["per_page"])
        newest = [{"number": n, "body": one.get("body")} for n, one in enumerate(self.issues, 1)][::-1]
        return web.json_response(newest[(page - 1) * size : page * size])

    # Jira

    async def jira_open(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        if (wrong := await self._misbehave(request)) is not None:
            return wrong
        self._keep(await request.json())
        number = len(self.issues)
        return web.json_response({"id": "1", "key": f"SEC-{number}", "self": "https://evil.example"}, status=201)

    async def jira_search(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        asked = re.fullmatch(
            r'project = "SEC" AND labels = "([a-z0-9-]+)" ORDER BY created ASC', (await request.json())["jql"]
        )
        assert asked is not None
        found = [
            {"id": str(n), "key": f"SEC-{n}"}
            for n, one in enumerate(self.issues, 1)
            if asked[1] in one.get("labels", [])
        ]
        return web.json_response({"issues": found[:1], "isLast": True})

    async def elsewhere(self, request: web.Request) -> web.StreamResponse:
        raise AssertionError("a redirect was followed")

    def _note(self, request: web.Request) -> None:
        self.asked.append((request.method, request.path, dict(request.headers)))


@contextlib.asynccontextmanager
async def standing_in() -> AsyncIterator[Standin]:
    far = Standin()
    app = web.Application()
    app.router.add_post("/repos/acme/shop/issues", far.github_open)
    app.router.add_get("/repos/acme/shop/issues", far.github_list)
    app.router.add_post("/rest/api/3/issue", far.jira_open)
    app.router.add_post("/rest/api/3/search/jql", far.jira_search)
    app.router.add_route("*", "/elsewhere", far.elsewhere)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    far.port = runner.addresses[0][1]
    try:
        yield far
    finally:
        far.go.set()
        await runner.cleanup()
