"""The receiving end of a containment webhook: checks the signature by itself, keeps what is in force, counts, misbehaves.

Written from the documentation of the header, not from the connector's code.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

SECRET = "s3cret-of-the-receiver-000"
Scope = tuple[str, str, str]


@dataclass
class Receiver:
    in_force: dict[Scope, list[str]] = field(default_factory=dict)
    """By scope the keys that hold it: it is in force until the last of them is reverted."""
    changed: set[Scope] = field(default_factory=set)
    """What somebody has taken over by hand: no revert touches it any more."""
    radius: Any = None
    """What is said to a plan."""
    done: Counter[str] = field(default_factory=Counter)
    """How often each key was really carried out."""
    asked: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    """Path, body and headers of every request that was signed well."""
    refused: int = 0
    faults: list[str] = field(default_factory=list)
    """For the next orders: `slow`, `error_after`, `error_before`, `lie`, `reset_after`, `redirect`, `refuse`, `teapot`."""
    revert_faults: list[str] = field(default_factory=list)
    verify_answers: list[Any] = field(default_factory=list)
    """Said instead of the truth: an object as JSON, bytes as they are, a number as a status."""
    go: asyncio.Event = field(default_factory=asyncio.Event)
    """What is slow waits for this."""
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def plan(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        if not self._signed(request, raw):
            return web.Response(status=401)
        return web.json_response(self.radius)

    async def apply(self, request: web.Request) -> web.StreamResponse:
        return await self._order(request, self.faults, self._apply)

    async def revert(self, request: web.Request) -> web.StreamResponse:
        return await self._order(request, self.revert_faults, self._revert)

    async def verify(self, request: web.Request) -> web.StreamResponse:
        raw = request.rel_url.raw_query_string.encode() if request.method == "GET" else await request.read()
        if not self._signed(request, raw):
            return web.Response(status=401)
        if request.method == "GET":
            query = request.query
            body = {"action": query["action"], "scope": {"kind": query["scope_kind"], "id": query["scope_id"]}}
        else:
            body = json.loads(raw)
        self.asked.append((request.path, body, dict(request.headers)))
        if self.verify_answers:
            said = self.verify_answers.pop(0)
            if isinstance(said, int):
                return web.Response(status=said, headers={"Location": f"{self.url}/verify"})
            if isinstance(said, bytes):
                return web.Response(body=said, content_type="application/json")
            return web.json_response(said)
        return web.json_response({"in_force": _scope(body) in self.in_force})

    async def _order(self, request: web.Request, faults: list[str], carry_out: Any) -> web.StreamResponse:
        raw = await request.read()
        if not self._signed(request, raw):
            return web.Response(status=401)
        body = json.loads(raw)
        self.asked.append((request.path, body, dict(request.headers)))
        fault = faults.pop(0) if faults else ""
        match fault:
            case "refuse":
                return web.Response(status=422, text=f"internal: {SECRET}")
            case "redirect":
                return web.Response(status=307, headers={"Location": f"{self.url}/elsewhere"})
            case "error_before":
                return web.Response(status=500)
            case "teapot":
                return web.Response(status=299)
            case "lie":
                return web.json_response({"ok": True})
            case "slow_before":
                await self.go.wait()
        if carry_out == self._revert and _scope(body) in self.changed:
            return web.Response(status=412)
        carry_out(body)
        if fault == "slow":
            await self.go.wait()
        if fault == "reset_after":
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=500 if fault == "error_after" else 200)

    def _apply(self, body: dict[str, Any]) -> None:
        if not self.done[body["key"]]:
            self.done[body["key"]] += 1
            self.in_force.setdefault(_scope(body), []).append(body["key"])

    def _revert(self, body: dict[str, Any]) -> None:
        held = [key for key in self.in_force.pop(_scope(body), []) if key != body["key"]]
        if held:
            self.in_force[_scope(body)] = held

    def _signed(self, request: web.Request, raw: bytes) -> bool:
        fields = dict(part.partition("=")[::2] for part in request.headers.get("X-Firsthour-Signature", "").split(","))
        wanted = hmac.new(SECRET.encode(), fields.get("t", "").encode() + b"." + raw, hashlib.sha256).hexdigest()
        good = hmac.compare_digest(wanted, fields.get("v1", ""))
        self.refused += not good
        return good


def _scope(body: dict[str, Any]) -> Scope:
    return body["action"], body["scope"]["kind"], body["scope"]["id"]


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/plan", receiver.plan)
    app.router.add_post("/apply", receiver.apply)
    app.router.add_post("/revert", receiver.revert)
    app.router.add_route("*", "/verify", receiver.verify)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.port = int(runner.addresses[0][1])
    try:
        yield receiver
    finally:
        receiver.go.set()
        await runner.cleanup()
