"""What a validation talks to: one target, asked turn by turn.

Decides how a trial's turns become calls, and which addresses are asked: those of the settings and no others. What one call may
take (time, bytes) is `wire`'s; how each kind is spoken to is `speech`'s; what an answer means is `outcomes`'.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import httpx
import jmespath
from jmespath.exceptions import JMESPathError

from bot.detection.scan.normal import visible
from bot.incident.errors import Misconfigured
from bot.incident.redact import clip, redact
from bot.settings_targets import TargetSettings
from bot.validation.answers import Answer, ToolCall, Trouble, TroubleKind
from bot.validation.lanes import Lanes
from bot.validation.speech import body_for, read
from bot.validation.sse import said as said_until
from bot.validation.wire import Raw, Wire, bearer

__all__ = ["Answer", "Target", "TargetSettings", "ToolCall", "Trouble", "TroubleKind", "open_target"]

Before = Callable[[], Awaitable[None]]
"""Awaited before each call: where the engine paces and counts."""


class Target(Protocol):
    """One system under test. Safe for concurrent use; each `send` is a conversation of its own."""

    @property
    def name(self) -> str: ...

    @property
    def settings(self) -> TargetSettings: ...

    @property
    def takes_document(self) -> bool:
        """Whether it has a place of its own for a document or a tool's result."""
        ...

    async def send(self, turns: Sequence[str], document: str | None, *, before: Before) -> Answer | Trouble:
        """Say the turns in order, the first with the document, which only a target with a place for it is given.

        Never raises for what the other side does; what `before` raises comes through.
        """
        ...

    async def version(self) -> str | None:
        """What is deployed now: as configured, or asked. None where it is not known."""
        ...

    async def probe(self, url: str) -> bool | Trouble:
        """Whether this address shows a side effect: True for 2xx, False for 404 and 410. Only below `probes`."""
        ...


@asynccontextmanager
async def open_target(name: str, settings: TargetSettings, env: Mapping[str, str]) -> AsyncIterator[HttpTarget]:
    """The target with its connections, until the block ends. Raises Misconfigured where its token is not in `env`."""
    token = None
    if settings.token_env is not None and not (token := env.get(settings.token_env, "").strip()):
        raise Misconfigured(f"targets.{name}.token_env: the environment variable {settings.token_env} is not set.")
    async with Lanes() as lanes:
        yield HttpTarget(name, settings, Wire(lanes, settings.timeout_seconds, settings.most_bytes), token)


@dataclass(frozen=True)
class HttpTarget:
    name: str
    settings: TargetSettings
    wire: Wire
    token: str | None

    def __repr__(self) -> str:
        return f"HttpTarget({self.name!r})"  # never the token

    @property
    def takes_document(self) -> bool:
        return self.settings.kind == "json" and "{document}" in str(self.settings.body)

    async def send(self, turns: Sequence[str], document: str | None, *, before: Before) -> Answer | Trouble:
        history: list[tuple[str, str]] = []
        conversation, so_far = secrets.token_hex(8), Answer(0, ())
        for turn in turns:
            await before()
            history.append(("user", turn))
            body = body_for(self.settings, history, document if len(history) == 1 else None, conversation)
            answer = await self._turn(body)
            if isinstance(answer, Trouble):
                return replace(answer, said=so_far.said, tools=so_far.tools, seen=_joined(so_far.seen, answer.seen))
            so_far = _after(so_far, answer)
            if answer.blocked is not None:
                break
            history.append(("assistant", answer.text or f"[called {', '.join(tool.name for tool in answer.tools)}]"))
            conversation = answer.conversation or conversation
        return so_far if so_far.said else Trouble(TroubleKind.EMPTY, "nothing was said")

    async def _turn(self, body: bytes) -> Answer | Trouble:
        raw = await self._exchange("POST", self._url, body)
        if not isinstance(raw, Trouble):
            return read(self.settings, raw)
        if self.settings.stream:
            return replace(raw, seen=f"{said_until(raw.seen)}\n{raw.seen}")
        return raw

    @property
    def _url(self) -> str:
        base = str(self.settings.url)
        return f"{base.rstrip('/')}/chat/completions" if self.settings.kind == "openai" else base

    async def _exchange(
        self, method: str, url: str, body: bytes | None = None, *, secret: bool = True
    ) -> Raw | Trouble:
        headers = bearer(self.token if secret else None, self.settings.headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        return await self.wire.exchange(method, url, headers=headers, content=body)

    async def version(self) -> str | None:
        if self.settings.version is not None or self.settings.version_url is None:
            return self.settings.version
        raw = await self._exchange("GET", str(self.settings.version_url))
        if isinstance(raw, Trouble) or not 200 <= raw.status < 300:
            return None
        if self.settings.version_path is None:
            return shown_version(raw.text) if "html" not in raw.headers.get("content-type", "") else None
        try:
            found = jmespath.search(self.settings.version_path, _json(raw.body))
        except JMESPathError:
            return None
        return shown_version(str(found)) if isinstance(found, (str, int, float)) else None

    async def probe(self, url: str) -> bool | Trouble:
        if not any(_below(url, str(base)) for base in self.settings.probes):
            return Trouble(
                TroubleKind.UNREACHABLE, "the target's settings do not allow this address to be looked at (`probes`)"
            )
        raw = await self._exchange("GET", url, secret=False)
        if isinstance(raw, Trouble):
            return raw
        if 200 <= raw.status < 300:
            return True
        if raw.status in (404, 410):
            return False
        return Trouble(TroubleKind.STATUS, f"the probe answered {raw.status}", status=raw.status)


def shown_version(text: str) -> str | None:
    """A version as it is compared, stored and shown; None for nothing."""
    return clip(redact(visible(text).strip()), 200) or None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _after(so_far: Answer, answer: Answer) -> Answer:
    """The conversation with one more turn."""
    return replace(
        answer,
        said=so_far.said + answer.said,
        tools=so_far.tools + answer.tools,
        seen=_joined(so_far.seen, answer.seen),
        version=shown_version(answer.version) if answer.version else so_far.version,
        milliseconds=so_far.milliseconds + answer.milliseconds,
    )


def _joined(before: str, seen: str) -> str:
    return f"{before}\n{seen}" if before else seen


def _below(url: str, base: str) -> bool:
    """The same scheme, host and port, and a path that goes on where the base's ends."""
    try:
        asked, allowed = httpx.URL(url), httpx.URL(base)
    except httpx.InvalidURL:
        return False
    same = (asked.scheme, asked.host, asked.port) == (allowed.scheme, allowed.host, allowed.port)
    path = allowed.path.rstrip("/") + "/"
    return (
        same
        and not asked.userinfo
        and ".." not in asked.path
        and (asked.path.startswith(path) or asked.path == allowed.path)
    )
