"""A model provider on loopback that speaks OpenAI's chat API, remembers what it was sent, and answers with it.

Not a real system: it stands where the provider would, so that a test can prove what a model saw and what of its words came
through. Run as a script in a process of its own: `python upstream.py PORT`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

from tests.integration.systems.process import started
from tests.ports import free_port

MARK = "raw-model-text"
"""Stands many times in every answer of the model, and nowhere else."""
TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "delete_everything", "arguments": "{}"}}
CALLER = "caller"
"""The model that answers with a tool call, whatever it is asked; every other one answers with words."""


@dataclass(frozen=True)
class Upstream:
    url: str

    def seen(self, user: str) -> list[dict[str, Any]]:
        """The bodies of every request that was made for this end user."""
        found: list[dict[str, Any]] = httpx.get(f"{self.url}/seen", params={"user": user}, trust_env=False).json()
        return found


@contextlib.contextmanager
def running(home: Path) -> Iterator[Upstream]:
    port = free_port()
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "tests.integration.systems.upstream", str(port)]
    with started("upstream", command, home, {"PYTHONPATH": str(root)}) as process:
        upstream = Upstream(f"http://127.0.0.1:{port}")
        process.wait_for_http(f"{upstream.url}/seen?user=nobody")
        yield upstream


def words_for(asked: dict[str, Any]) -> list[str]:
    """What the model says, in the pieces in which it says it: long enough to be cut anywhere by whoever reads along."""
    heard = json.dumps(asked["messages"][-1]["content"])
    return [f"{MARK} {number} " for number in range(30)] + [f"you said {heard}"]


class _Provider:
    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def chat(self, request: web.Request) -> web.StreamResponse:
        asked: dict[str, Any] = await request.json()
        if asked.get("user") != "nobody":
            self.asked.append(asked)
        if asked.get("stream"):
            return await self._stream(request, asked)
        message: dict[str, Any] = {"role": "assistant", "content": "".join(words_for(asked))}
        if asked["model"] == CALLER:
            message = {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]}
        choice = {"index": 0, "message": message, "finish_reason": _reason(asked)}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return web.json_response(_envelope(asked, "chat.completion") | {"choices": [choice], "usage": usage})

    async def _stream(self, request: web.Request, asked: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        deltas: list[dict[str, Any]] = [{"content": piece} for piece in words_for(asked)]
        if asked["model"] == CALLER:
            deltas = [{"tool_calls": [TOOL_CALL | {"index": 0}]}]
        for delta in ({"role": "assistant", "content": ""}, *deltas):
            await self._say(response, asked, {"index": 0, "delta": delta, "finish_reason": None})
            await asyncio.sleep(0)
        await self._say(response, asked, {"index": 0, "delta": {}, "finish_reason": _reason(asked)})
        await response.write(b"data: [DONE]\n\n")
        return response

    async def _say(self, response: web.StreamResponse, asked: dict[str, Any], choice: dict[str, Any]) -> None:
        chunk = _envelope(asked, "chat.completion.chunk") | {"choices": [choice]}
        await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")

    async def seen(self, request: web.Request) -> web.Response:
        return web.json_response([asked for asked in self.asked if asked.get("user") == request.query["user"]])


def _envelope(asked: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": asked["model"]}


def _reason(asked: dict[str, Any]) -> str:
    return "tool_calls" if asked["model"] == CALLER else "stop"


def main() -> None:
    provider = _Provider()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", provider.chat)
    app.router.add_get("/seen", provider.seen)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)


if __name__ == "__main__":
    main()
