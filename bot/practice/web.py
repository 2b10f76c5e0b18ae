"""The Web API, response URLs and uploads over HTTP: authentication, latency, limits, faults, and the record.

Decides everything around a method; what the method does is in ``methods``.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.practice import blocks as blockkit
from bot.practice import posting
from bot.practice.arguments import Arguments, read
from bot.practice.faults import Faults, When
from bot.practice.limits import Limits
from bot.practice.methods import TABLE
from bot.practice.methods.table import Call, Method, Token, needs_scope
from bot.practice.record import Call as CallRecord
from bot.practice.shapes import Json, SlackError
from bot.practice.tickets import Hook
from bot.practice.world import World


@dataclass
class WebApi:
    """The HTTP side of the workspace."""

    world: World
    tokens: dict[str, Token]
    limits: Limits
    faults: Faults
    latency: float = 0.0
    """seconds added to every call"""
    down: bool = field(default=False)
    """answer 503 to everything"""

    async def api(self, request: web.Request) -> web.StreamResponse:
        """``/api/{method}``."""
        name = request.match_info["method"]
        method = TABLE.get(name)
        entry = CallRecord(name, {}, "unknown", self.world.now())
        self.world.record.every_call.append(entry)
        started = time.monotonic()
        try:
            return await self._answer(request, name, method, entry)
        finally:
            entry.seconds = time.monotonic() - started
            self.world.touch()

    async def _answer(
        self, request: web.Request, name: str, method: Method | None, entry: CallRecord
    ) -> web.StreamResponse:
        if self.latency:
            await asyncio.sleep(self.latency)
        if self.down:
            return self._reply(entry, {"ok": False, "error": "service_unavailable"}, status=503)
        try:
            args, secret = await read(request, takes_json=method is None or method.takes_json)
        except SlackError as refused:
            return self._reply(entry, refused.body())
        entry.args = dict(args.raw)
        if (broken := await self._fault(request, entry, "before", args)) is not None:
            return broken
        headers: dict[str, str] = {}
        try:
            token = self._authenticate(secret, method)
            entry.token_kind = token.kind
            headers["x-oauth-scopes"] = ",".join(sorted(token.scopes))
            known = _known(name, method)
            if wait := self.limits.refuse(name, known.tier, args.text("channel")):
                return self._limited(entry, wait)
            needs_scope(token, known.scope)
            body = {"ok": True, **known.run(Call(self.world, args, token))}
        except SlackError as refused:
            return self._reply(entry, refused.body(), headers=headers)
        entry.done = True
        if (broken := await self._fault(request, entry, "after", args)) is not None:
            return broken
        return self._reply(entry, body, headers=headers)

    def _authenticate(self, secret: str, method: Method | None) -> Token:
        if not secret:
            if method is not None and method.token == "any":
                return Token("unknown", frozenset())
            raise SlackError("not_authed")
        token = self.tokens.get(secret)
        if token is None:
            raise SlackError("invalid_auth")
        if token.error:
            raise SlackError(token.error)
        if method is not None and method.token not in (token.kind, "any"):
            raise SlackError("not_allowed_token_type")
        return token

    def _reply(
        self, entry: CallRecord, body: Json, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> web.Response:
        entry.status, entry.answer = status, body
        return web.json_response(body, status=status, headers=headers)

    def _limited(self, entry: CallRecord, seconds: int) -> web.Response:
        body = {"ok": False, "error": "ratelimited"}
        return self._reply(entry, body, status=429, headers={"Retry-After": str(seconds)})

    async def _fault(self, request: web.Request, entry: CallRecord, when: When, args: Arguments) -> web.Response | None:
        """Carry out the fault that hits this call; None where the call goes on."""
        fault = self.faults.hit(entry.method, when, args)
        if fault is None:
            return None
        entry.fault = fault.name
        match fault.kind:
            case "delay":
                await asyncio.sleep(fault.seconds)
                return None
            case "ratelimited":
                return self._limited(entry, fault.retry_after)
            case "error":
                return self._reply(entry, {"ok": False, "error": fault.error})
            case "status":
                entry.status = fault.status
                return web.Response(status=fault.status, text="<html>Server error</html>", content_type="text/html")
            case "reset":
                entry.status = 0
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=500)

    async def hook(self, request: web.Request) -> web.Response:
        """A response URL."""
        body = await _hook_body(request)
        entry: Json = {"url": str(request.url), "body": body}
        self.world.record.hook_posts.append(entry)
        if self.latency:
            await asyncio.sleep(self.latency)
        shadow = CallRecord("response_url", body, "unknown", self.world.now())
        if (broken := await self._fault(request, shadow, "before", Arguments(body))) is not None:
            return broken
        try:
            respond(self.world, self.world.tickets.use_hook(request.match_info["key"]), body)
            status, answer = 200, "ok"
        except SlackError as refused:
            gone = refused.code in ("expired_url", "used_url", "no_active_hooks")
            status, answer = (404 if gone else 400), refused.code
        entry |= {"status": status, "answer": answer}
        self.world.touch()
        if (broken := await self._fault(request, shadow, "after", Arguments(body))) is not None:
            return broken
        return web.Response(status=status, text=answer)

    async def upload(self, request: web.Request) -> web.Response:
        """The bytes of a file, raw or as a form."""
        one = self.world.files.get(request.match_info["file"])
        if one is None or one.content is not None:
            return web.Response(status=404, text="file_not_found")
        if request.content_type == "multipart/form-data":
            form = await request.post()
            part = next((value for value in form.values() if isinstance(value, web.FileField)), None)
            data = part.file.read() if part else b""
        else:
            data = await request.read()
        if len(data) != one.size:
            return web.Response(status=400, text="size mismatch")
        one.content = data
        return web.Response(text=f"OK - {len(data)}")


def _known(name: str, method: Method | None) -> Method:
    if method is None:
        raise SlackError("unknown_method", req_method=name)
    return method


async def _hook_body(request: web.Request) -> Json:
    text = await request.text()
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def respond(world: World, hook: Hook, body: Json) -> None:
    """What a post to a response URL does; raises ``SlackError``."""
    origin = _origin(world, hook)
    if body.get("delete_original"):
        if origin is None:
            raise SlackError("no_original")
        posting.delete(world, origin)
        return
    text, blocks = str(body.get("text") or ""), body.get("blocks") or []
    if blocks:
        blockkit.message_blocks(blocks)
    if not text.strip() and not blocks and not body.get("attachments"):
        raise SlackError("no_text")
    if body.get("replace_original") and origin is not None:
        posting.rewrite(world, origin, text=text, blocks=blocks)
        return
    channel = world.channels[hook.channel]
    fields: dict[str, Any] = {"blocks": blocks, "attachments": body.get("attachments") or []}
    if body.get("response_type") == "in_channel":
        if channel.archived:
            raise SlackError("is_archived")
        posting.post(world, channel, world.bot.id, text, thread_ts=body.get("thread_ts"), **fields)
    else:
        posting.whisper(world, channel, hook.user, text, **fields)


def _origin(world: World, hook: Hook) -> Any:
    """The message that was clicked, where it is still there."""
    if hook.message_ts is None:
        return None
    if hook.ephemeral:
        return world.ephemeral(hook.user, hook.message_ts)
    return world.find(world.channels[hook.channel], hook.message_ts)
