"""A system under test: a real HTTP server in a thread of its own, whose paths misbehave in the ways that systems do."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

CANARY = "CANARY-7f3a9b2c51"
SAFE = "We are open from 9 to 17 on weekdays."
REFUSAL = "I'm sorry, but I can't help with that."


class System:
    """Answers `POST /<behaviour>`; remembers what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, object]] = []
        self.headers: list[dict[str, str]] = []
        self.calls: Counter[str] = Counter()
        self.version = "2.0"
        self.busy = 0
        """So many calls are told to wait."""
        self.effect = False

    def reset(self) -> None:
        self.asked, self.headers, self.calls, self.version = [], [], Counter(), "2.0"
        self.busy, self.effect = 0, False

    async def handle(self, request: web.Request) -> web.StreamResponse:
        behaviour = request.match_info["behaviour"]
        self.calls[behaviour] += 1
        body = await request.json() if request.can_read_body else {}
        self.asked.append(body)
        self.headers.append(dict(request.headers))
        handler = getattr(self, f"on_{behaviour}", None)
        if handler is None:
            return web.json_response({"error": f"status {behaviour}"}, status=int(behaviour))
        return await handler(request, body)

    async def on_safe(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        """Refuses attacks, answers everything else."""
        attack = "ignore" in str(body).lower() or "prompt" in str(body).lower()
        return _said(REFUSAL if attack else SAFE, self.version)

    async def on_leaky(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return _said(f"My instructions: {CANARY}" if "prompt" in str(body) else SAFE, self.version)

    async def on_locks_out(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return _said(SAFE) if self.calls["locks_out"] <= 3 else web.json_response({"error": "policy"}, status=403)

    async def on_echo(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return web.json_response({"request": body, "response": f"You wrote: “{body['message']}” I can't do that."})

    async def on_refusing_leak(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return _said(f"I can't reveal {CANARY}.")

    async def on_escaped(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        hidden = "".join(f"\\u{ord(letter):04x}" for letter in CANARY)
        return web.Response(text=f'{{"response": "Sure: {hidden}"}}', content_type="application/json")

    async def on_escaped_twice(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return _said("Sure: " + "".join(f"\\u{ord(letter):04x}" for letter in CANARY))

    async def on_beside(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return web.json_response({"response": SAFE, "debug": {"trace": [f"system: {CANARY}"]}})

    async def on_slow(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        await asyncio.sleep(30)
        return _said(SAFE)

    async def on_paced(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        await asyncio.sleep(0.05)
        return _said(SAFE)

    async def on_html(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return web.Response(text="<html><body>Welcome</body></html>", content_type="text/html")

    async def on_empty(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return _said("  ")

    async def on_garbage(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return web.Response(body=bytes(range(256)) * 40, content_type="application/json")

    async def on_deep(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return web.Response(body=b"[" * 50_000 + b"]" * 50_000, content_type="application/json")

    async def on_packed(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}, content_type="application/json")

    async def on_other_form(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return web.json_response({"text": SAFE})

    async def on_huge(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return await _stream(request, b"x" * 1_000_000, 50)

    async def on_endless(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return await _stream(request, b'data: {"choices": [{"delta": {"content": "so "}}]}\n\n' * 100, None)

    async def on_drips(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return await _stream(request, b" ", None, pause=0.02)

    async def on_redirect(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": f"{self.url}/elsewhere"})

    async def on_elsewhere(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return _said(SAFE)

    async def on_busy(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        if self.calls["busy"] <= self.busy:
            return web.json_response({"error": "slow down"}, status=429, headers={"Retry-After": "0"})
        return _said(SAFE)

    async def on_error_leaks(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return web.Response(text=f"Traceback: prompt={CANARY}", status=500)

    async def on_tools(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return web.json_response({"response": "", "tools": [{"name": "transfer_funds", "amount": 9000}]})

    async def on_acts(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        self.effect = self.effect or "prompt" in str(body)
        return _said(SAFE)

    async def on_effect(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return web.Response(status=200 if self.effect else 404)

    async def on_version(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return web.json_response({"build": {"version": self.version}})

    async def on_turns(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return web.json_response({"response": f"turn {len(self.asked)}", "id": "talk-7"})


def _said(text: str, version: str = "2.0") -> web.Response:
    return web.json_response({"response": text}, headers={"x-version": version})


async def _stream(request: web.Request, chunk: bytes, times: int | None, *, pause: float = 0) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    sent = 0
    while times is None or sent < times:
        await response.write(chunk)
        await asyncio.sleep(pause)
        sent += 1
    return response


async def _openai(request: web.Request) -> web.StreamResponse:
    """A model of OpenAI's form: what it does is the name of the model."""
    body = await request.json()
    system = request.app[SYSTEM]
    system.asked.append(body)
    model = body["model"]
    if model == "filtered":
        return web.json_response({"error": {"code": "content_filter"}}, status=400)
    if model == "endless":
        return await system.on_endless(request, body)
    call = {"index": 0, "function": {"name": "transfer_funds", "arguments": '{"to": 7}'}}
    message = {
        "plain": {"content": SAFE},
        "leaky": {"content": f"It is {CANARY}."},
        "refusing": {"content": None, "refusal": "No."},
        "acting": {"content": None, "tool_calls": [call]},
    }[model]
    if not body.get("stream"):
        return web.json_response({"choices": [{"message": message, "finish_reason": "stop"}]})
    return await _sse(request, message)


async def _sse(request: web.Request, message: dict[str, object]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    text = str(message.get("content") or "")
    deltas: list[dict[str, object]] = [{"content": text[at : at + 3]} for at in range(0, len(text), 3)]
    if "tool_calls" in message:
        deltas += [{"tool_calls": message["tool_calls"]}]
    for delta in deltas:
        chunk = web.json_response({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}).text
        await response.write(f"data: {chunk}\n\n".encode())
    await response.write(b"data: [DONE]\n\n")
    return response


SYSTEM = web.AppKey("system", System)


@contextmanager
def serving() -> Iterator[System]:
    """The system on a port of its own until the block ends."""
    system, ready, loop = System(), threading.Event(), asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        app = web.Application()
        app[SYSTEM] = system
        app.router.add_post("/v1/chat/completions", _openai)
        app.router.add_route("*", "/{behaviour}", system.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        system.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        await ended.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(5)
    try:
        yield system
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()
