"""A gate in memory, asked over its real HTTP application without a socket."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from bot.gate.book import Book, Held
from bot.gate.caller import EVERYONE, Target
from bot.gate.decisions import Counted
from bot.gate.gate import Decided, Gate, Outage
from bot.gate.http import GateHttp, Served
from bot.gate.usage import Usage
from bot.gate.wire import Names
from bot.incident.words import ActionKind, ScopeKind

TOKEN = "token-of-the-gate"
GUARDRAIL = "/beta/litellm_basic_guardrail_api"
MALLORY: Target = (ScopeKind.USER, "mallory")
_numbers = itertools.count(1)


def rule(kind: ActionKind, target: Target = MALLORY, *, incident: int = 12, **other: Any) -> Held:
    return Held(f"INC-{incident}:{next(_numbers)}:{target[0]}/{target[1]}", incident, kind, target, **other)


def everyone(kind: ActionKind, **other: Any) -> Held:
    return rule(kind, EVERYONE, **other)


class Time:
    """Seconds that stand still until they are moved."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Asking:
    """`async with Asking(rule(...)) as gate`: the three protocols, each as its own client would speak it."""

    def __init__(self, *rules: Held, known: bool = True, outage: Outage | None = None,
                 obeyed: Iterable[ActionKind] = (), names: Names | None = None) -> None:  # fmt: skip
        self.time = Time()
        self.book = Book(now=self.time)
        if known:
            self.book.replace(rules, 1)
        self.decided: list[Decided] = []
        self.usage = Usage(now=self.time)
        registry = CollectorRegistry()
        listeners = (Counted(registry, self.book), self.usage, self.decided.append)
        self.gate = Gate(self.book, outage=outage, listeners=listeners, now=self.time)
        served = Served(self.gate, TOKEN, self.usage, registry, names or Names(), tuple(obeyed))
        self.app = GateHttp(served)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://gate", headers={"x-api-key": TOKEN}
        )

    async def __aenter__(self) -> Asking:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def decide(self, *, probe: str | None = None, **question: Any) -> dict[str, Any]:
        headers = {"x-firsthour-probe": probe} if probe else {}
        response = await self.http.post("/decide", json={"user": "mallory", **question}, headers=headers)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def guardrail(self, stage: str = "request", *, user: str | None = "mallory", **fields: Any) -> dict[str, Any]:
        """As LiteLLM 1.106.2 sends it, nulls included."""
        texts = fields.pop("texts", ["hello"])
        body = {
            "input_type": stage, "litellm_call_id": "c-1", "litellm_trace_id": None, "images": None, "tools": None,
            "structured_messages": [{"role": "user", "content": text} for text in texts] if stage == "request" else None,
            "texts": texts, "tool_calls": None, "model": "chat", "litellm_version": "1.106.2",
            "request_headers": {"host": "proxy", "authorization": "[present]"},
            "additional_provider_specific_params": {},
            "request_data": {"user_api_key_hash": "hash-1", "user_api_key_end_user_id": user},
            **fields,
        }  # fmt: skip
        response = await self.http.post(GUARDRAIL, json=body)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def auth(self, path: str = "/auth", *, method: str = "GET", **ids: str) -> httpx.Response:
        """As nginx and Envoy ask: ids in headers, by the default names."""
        named = {f"x-firsthour-{kind.replace('_', '-')}": name.encode() for kind, name in ids.items()}
        return await self.http.request(method, path, headers={"x-firsthour-user": b"mallory", **named})
