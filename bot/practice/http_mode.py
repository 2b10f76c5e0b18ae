"""Delivery over HTTP: signed requests to the app's Request URL, in place of Socket Mode.

Decides encodings, signatures (``slack.md`` §1.4) and event retries with Slack's headers. It offers what ``SocketMode``
offers to people: ``ask`` and ``tell``.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import uuid
from typing import NamedTuple
from urllib.parse import urlencode

import aiohttp

from bot.practice.record import Ack, Envelope
from bot.practice.shapes import DidNotRespond, Json
from bot.practice.world import World

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
RETRY_DELAYS = (0.0, 60.0, 300.0)


class Answered(NamedTuple):
    """What the app's web server said."""

    status: int
    body: Json
    no_retry: bool


class HttpMode:
    """Sends everything to one Request URL."""

    def __init__(self, world: World, url: str, signing_secret: str, *, ack_timeout: float) -> None:
        self.world = world
        self.url = url
        self.signing_secret = signing_secret
        self.ack_timeout = ack_timeout
        self.retry_delays: tuple[float, ...] = RETRY_DELAYS
        self._tasks: set[asyncio.Task[None]] = set()

    async def post(
        self, body: str, kind: str, *, secret: str | None = None, at: float | None = None, headers: Json | None = None
    ) -> Answered:
        """One signed request; another ``secret`` or time forges it."""
        stamp = str(int(time.time() if at is None else at))
        key = (self.signing_secret if secret is None else secret).encode()
        signature = hmac.new(key, f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        signed = {
            "Content-Type": kind,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={signature}",
            **(headers or {}),
        }
        timeout = aiohttp.ClientTimeout(total=self.ack_timeout)
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.post(self.url, data=body.encode(), headers=signed) as response,
        ):
            text = await response.text()
            answer: Json = {}
            if response.content_type == JSON and text:
                answer = json.loads(text)
            elif text:
                answer = {"text": text}
            return Answered(response.status, answer, response.headers.get("x-slack-no-retry") == "1")

    async def verify(self, challenge: str = "practice-challenge") -> bool:
        """What Slack asks when the Request URL is entered."""
        body = json.dumps({"token": "x", "challenge": challenge, "type": "url_verification"})
        answered = await self.post(body, JSON)
        return answered.status == 200 and challenge in answered.body.values()

    async def ask(self, kind: str, payload: Json, *, accepts: bool) -> Json:
        """Send an interaction and wait for the answer; raises ``DidNotRespond``."""
        one = self._envelope(kind, payload, accepts=accepts)
        fields = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
        try:
            answered = await self.post(urlencode(fields), FORM)
        except (aiohttp.ClientError, TimeoutError) as problem:
            one.outcome = "expired" if isinstance(problem, TimeoutError) else "undeliverable"
            self.world.touch()
            reason = "operation_timeout" if isinstance(problem, TimeoutError) else "dispatch_failed"
            raise DidNotRespond(f"{reason}: {type(problem).__name__}") from problem
        if answered.status != 200:
            one.outcome = "undeliverable"
            raise DidNotRespond(f"http_error: the app answered {answered.status}")
        self._acked(one, answered.body)
        return answered.body

    def tell(self, payload: Json) -> None:
        """Send an event in the background, and again while it fails."""
        one = self._envelope("events_api", payload, accepts=False)
        task = asyncio.get_running_loop().create_task(self._deliver(one))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, one: Envelope) -> None:
        reason = ""
        for attempt, delay in enumerate((0.0, *self.retry_delays)):
            if delay:
                await asyncio.sleep(delay)
            retry = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason} if attempt else {}
            one.sent.append(time.monotonic())
            try:
                answered = await self.post(json.dumps(one.payload), JSON, headers=retry)
            except TimeoutError:
                reason = "http_timeout"
                continue
            except aiohttp.ClientError:
                reason = "connection_failed"
                continue
            if answered.status == 200:
                self._acked(one, answered.body)
                return
            reason = "http_error"
            if answered.no_retry:
                break
        one.outcome = "expired"
        self.world.touch()

    def _envelope(self, kind: str, payload: Json, *, accepts: bool) -> Envelope:
        one = Envelope(str(uuid.uuid4()), kind, payload, accepts)
        self.world.record.envelopes.append(one)
        if kind != "events_api":
            one.sent.append(time.monotonic())
        return one

    def _acked(self, one: Envelope, payload: Json) -> None:
        ack = Ack(one.id, payload, time.monotonic() - one.sent[-1], late=False, nth=1)
        one.acks.append(ack)
        one.outcome = "acked"
        self.world.record.acks.append(ack)
        self.world.touch()

    async def close(self) -> None:
        """Give up what is on its way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
