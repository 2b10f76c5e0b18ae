"""A customer of LiteLLM's proxy, and how its answers are read: what the tests of the proxy and its benchmark share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx

from tests.integration.systems.litellm import CLOSED

SECRET = "my-account-number-is-4711"
"""What a caller says, unless the test has it say something else."""


@dataclass
class Client:
    """A customer of the proxy."""

    http: httpx.AsyncClient

    async def ask(self, user: str, text: str = SECRET, *, model: str = "chat", **more: Any) -> httpx.Response:
        body = {"model": model, "user": user, "messages": [{"role": "user", "content": text}], "guardrails": [CLOSED]}
        return await self.http.post("/v1/chat/completions", json={**body, **more})

    async def stream(self, user: str, **more: Any) -> str:
        """Everything that came over the wire."""
        response = await self.ask(user, stream=True, **more)
        return response.text


def said(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    return str(response.json()["choices"][0]["message"]["content"])


def streamed(wire: str) -> str:
    """The text that a client puts together from the events."""
    chunks = [json.loads(line[6:]) for line in wire.splitlines() if line.startswith("data: {")]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
