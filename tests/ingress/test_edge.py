"""What is answered where nobody expected it: a process that ends in the middle, a failure that no route caught."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTracePartialSuccess
from structlog.testing import capture_logs

from bot import serving
from bot.detection.event import Event
from bot.ingress import Serving
from tests.ingress.conftest import Build, Connect
from tests.ingress.test_events import NOW, PROTOBUF, event, request


class Taken(NamedTuple):
    accepted: int
    duplicates: int


class Taker:
    def __init__(self) -> None:
        self.rejects = 0

    async def take(self, events: Sequence[Event], *, via: str) -> Taken:
        raise ValueError("nobody expected this")

    def rejected(self, count: int, *, via: str) -> None:
        self.rejects += count


@asynccontextmanager
async def ending(
    app: Any, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Serving, httpx.AsyncClient]]:
    """Served over a real socket by a server that waits for nothing at its end."""
    monkeypatch.setattr(serving, "GRACE", 0)
    served = Serving(app, "127.0.0.1", 0)
    await served.start()
    base = f"http://127.0.0.1:{served.port}"
    async with httpx.AsyncClient(base_url=base, headers=bearer, trust_env=False, timeout=20) as client:
        yield served, client
    await served.stop()


class Slow(Taker):
    """Takes an event for as long as nobody ends it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def take(self, events: Sequence[Event], *, via: str) -> Taken:
        self.asked.set()
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]


CALL = {"litellm_call_id": "c-1", "status": "success", "startTime": NOW, "messages": "hi"}
GOOD = {"/events": event(), "/events/litellm": CALL}


@pytest.mark.parametrize("path", GOOD)
async def test_a_body_of_bad_events_that_a_stop_cuts_off_is_to_be_sent_again(
    build: Build, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    taker = Slow()
    async with ending(build(taker=taker), bearer, monkeypatch) as (served, client):
        body = b"[" + b'{"usr":1},' * 20_000 + json.dumps(GOOD[path]).encode() + b"]"
        sent = asyncio.create_task(client.post(path, content=body))
        await asyncio.wait_for(taker.asked.wait(), 10)
        await served.stop()
        response = await sent
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert "Send it again" in response.json()["error"] and taker.rejects == 0


async def test_any_other_request_that_a_stop_cuts_off_is_told_the_same(
    build: Build, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def never() -> list[str]:
        asked.set()
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async with ending(build(ready=never), bearer, monkeypatch) as (served, client):
        sent = asyncio.create_task(client.get("/readyz"))
        await asyncio.wait_for(asked.wait(), 10)
        await served.stop()
        response = await sent
    assert response.status_code == 503 and "being stopped" in response.json()["error"]


async def test_a_failure_that_nobody_expected_is_logged_and_told_in_the_senders_encoding(
    build: Build, connect: Connect, bearer: dict[str, str]
) -> None:
    body = request(NOW).SerializeToString()
    async with connect(build(taker=Taker())) as client:
        client.headers.update(bearer)
        with capture_logs() as logs:
            native = await client.post("/events", json={"kind": "data_query", "occurred_at": NOW})
            traces = await client.post("/v1/traces", content=body, headers=PROTOBUF)
    told = native.json()["error"], ExportTracePartialSuccess.FromString(traces.content).error_message
    assert (native.status_code, traces.status_code) == (500, 500)
    for words, entry in zip(told, logs, strict=True):
        assert (entry["event"], entry["error"], entry["exc_info"]) == ("ingress.failed", "ValueError", True)
        assert entry["reference"] in words and "nobody expected" not in words
