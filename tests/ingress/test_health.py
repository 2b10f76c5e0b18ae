from __future__ import annotations

import asyncio
import signal
import socket

import httpx
import pytest
from fastapi import Request
from prometheus_client import CollectorRegistry
from starlette.responses import PlainTextResponse, Response

from bot.incident.errors import Misconfigured
from bot.ingress import Metrics, Serving
from tests import opened as case
from tests.ingress.conftest import Build, Connect, with_siren
from tests.ingress.test_native import ALERT


async def test_a_living_process_says_so(one_client: httpx.AsyncClient) -> None:
    assert (await one_client.get("/healthz")).json() == {"status": "alive"}


async def test_readiness_gives_the_reasons_why_not(build: Build, connect: Connect) -> None:
    reasons: list[str] = []

    async def ready() -> list[str]:
        return reasons

    async with connect(build(ready=ready)) as client:
        assert (await client.get("/readyz")).status_code == 200
        reasons.append("Slack is not connected.")
        response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"ready": False, "reasons": ["Slack is not connected."]}


async def test_metrics_count_alerts_by_source_and_what_came_of_them(
    client: httpx.AsyncClient, bearer: dict[str, str]
) -> None:
    await client.post("/alerts", json=ALERT, headers=bearer)
    await client.post("/alerts", json=ALERT, headers=bearer)
    text = (await client.get("/metrics")).text
    assert 'firsthour_alerts_total{source="native",status="opened"} 1.0' in text
    assert 'firsthour_alerts_total{source="native",status="repeated"} 1.0' in text


async def test_metrics_tell_what_the_store_holds_now(client: httpx.AsyncClient, bearer: dict[str, str]) -> None:
    await client.post("/alerts", json=ALERT, headers=bearer)
    text = (await client.get("/metrics")).text
    assert 'firsthour_open_incidents{severity="SEV-1"} 1.0' in text
    assert 'firsthour_open_incidents{severity="SEV-4"} 0.0' in text
    assert 'firsthour_intents{kind="open_room",state="pending"} 1.0' in text
    assert "firsthour_oldest_due_intent_seconds 0.0" in text


async def test_a_kind_of_intent_that_is_settled_is_no_longer_shown(build: Build, connect: Connect) -> None:
    metrics = Metrics(CollectorRegistry())
    metrics._intents.labels("post", "pending").set(3)
    async with connect(build(metrics=metrics)) as client:
        assert 'kind="post"' not in (await client.get("/metrics")).text


async def test_other_rooms_count_without_knowing_the_library() -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.slack_called("chat.postMessage", "ok")
    metrics.slack_called("chat.postMessage", "limited")
    metrics.gave_up("pin")
    metrics.socket_reconnected()
    metrics.watch_sockets(lambda: 2)
    metrics.acked(0.004)
    metrics.reminded(0.3)
    value = metrics.registry.get_sample_value
    for outcome in ("ok", "limited"):
        assert value("firsthour_slack_calls_total", {"method": "chat.postMessage", "outcome": outcome}) == 1
    assert value("firsthour_gave_up_total", {"kind": "pin"}) == 1
    assert value("firsthour_socket_reconnects_total") == 1
    assert value("firsthour_socket_connections") == 2
    assert value("firsthour_slack_rate_limited_total", {"method": "chat.postMessage"}) == 1
    assert value("firsthour_ack_seconds_count") == 1
    assert value("firsthour_reminder_late_seconds_bucket", {"le": "0.4"}) == 1


async def test_a_senders_text_never_becomes_a_label(one_client: httpx.AsyncClient, bearer: dict[str, str]) -> None:
    await one_client.post("/alerts/made-up-source", json={}, headers=bearer)
    await one_client.post("/alerts", json=ALERT | {"trigger": "made-up-trigger"}, headers=bearer)
    assert "made-up" not in (await one_client.get("/metrics")).text


async def test_slack_over_http_is_there_only_where_it_is_used(build: Build, connect: Connect) -> None:
    async def handler(request: Request) -> Response:
        return PlainTextResponse((await request.body()).decode().upper())

    async with connect(build()) as client:
        assert (await client.post("/slack/events", content="x")).status_code == 404
    async with connect(build(slack_handler=handler)) as client:
        assert (await client.post("/slack/events", content="x")).text == "X"
        assert (await client.post("/slack/events", content=b" " * 2**21)).status_code == 413


async def test_serving_takes_a_free_port_and_leaves_signals_alone(build: Build) -> None:
    before = signal.getsignal(signal.SIGTERM)
    served = Serving(build(), "127.0.0.1", 0)
    await served.start()
    try:
        assert served.port > 0
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{served.port}/healthz")).status_code == 200
        assert signal.getsignal(signal.SIGTERM) is before
    finally:
        await served.stop()
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", served.port)


async def test_stopping_at_once_after_starting_and_stopping_twice_are_harmless(build: Build) -> None:
    served = Serving(build(), "127.0.0.1", 0)
    await served.start()
    await served.stop()
    await served.stop()


async def test_an_address_that_is_taken_refuses_the_start_in_words(build: Build) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Misconfigured, match=f"FIRSTHOUR_HTTP names 127.0.0.1:{port}"):
            await Serving(build(), "127.0.0.1", port).start()


async def test_drills_are_not_counted_as_open_incidents(build: Build, connect: Connect, sqlite_store: object) -> None:
    ctx = with_siren(sqlite_store)  # type: ignore[arg-type]
    number = await case.opened(ctx)
    async with ctx.store.unit() as unit:
        (await unit.incident(number)).drill = True
    async with connect(build()) as client:
        assert 'firsthour_open_incidents{severity="SEV-1"} 0.0' in (await client.get("/metrics")).text
