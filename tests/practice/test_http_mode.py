"""Delivery over HTTP to a real Bolt app that checks signatures."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.practice.http_mode import FORM, HttpMode
from bot.practice.server import PracticeWorkspace
from bot.practice.shapes import DidNotRespond

SECRET = "practice-signing-secret"


@pytest.fixture
def app(client: AsyncWebClient) -> AsyncApp:
    return AsyncApp(client=client, signing_secret=SECRET)


@pytest.fixture
async def http(ws: PracticeWorkspace, app: AsyncApp) -> AsyncIterator[HttpMode]:
    runner = web.AppRunner(app.server(path="/slack/events").web_app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    mode = ws.deliver_over_http(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events", SECRET)
    mode.retry_delays = (0.0,)
    yield mode
    await mode.close()
    await runner.cleanup()


async def test_commands_modals_and_presses_work_over_http(
    ws: PracticeWorkspace, app: AsyncApp, http: HttpMode, modal: dict[str, Any], card: list[dict[str, Any]]
) -> None:
    @app.command("/incident")
    async def command(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=modal)
        await ack("opened")

    @app.view("declare")
    async def submitted(ack: Any) -> None:
        await ack(response_action="errors", errors={"title": "no"})

    @app.action("ack")
    async def pressed(ack: Any) -> None:
        await ack()

    @app.event("message")
    async def said() -> None: ...

    alice = ws.person("alice")
    assert (await alice.slash("incidents", "/incident")).text == "opened"
    assert (await alice.submit(None, {"title": "x"})).errors == {"title": "no"}
    await app.client.chat_postMessage(channel=ws.channel("incidents").id, text="card", blocks=card)
    await alice.press("incidents", ws.messages("incidents")[0], "ack")
    await ws.settled()
    assert {one.outcome for one in ws.record.envelopes} == {"acked"}


async def test_the_request_url_is_verified(http: HttpMode) -> None:
    assert await http.verify()


@pytest.mark.parametrize("forgery", [{"secret": "wrong"}, {"at": time.time() - 400}])
async def test_forged_and_old_requests_are_refused(http: HttpMode, forgery: dict[str, Any]) -> None:
    assert (await http.post(urlencode({"command": "/incident"}), FORM, **forgery)).status == 401


async def test_an_event_that_is_not_handled_comes_again(ws: PracticeWorkspace, app: AsyncApp, http: HttpMode) -> None:
    retries: list[Any] = []

    @app.middleware
    async def look(req: Any) -> None:
        retries.append(req.headers.get("x-slack-retry-num"))

    await ws.person("alice").say("incidents", "hello")
    await ws.settled()
    assert retries == [None, ["1"]]
    assert ws.record.envelopes[-1].outcome == "expired"


async def test_an_app_that_is_down_fails_the_person(ws: PracticeWorkspace) -> None:
    ws.deliver_over_http("http://127.0.0.1:9/slack/events", SECRET)
    with pytest.raises(DidNotRespond, match="dispatch_failed"):
        await ws.person("alice").slash("incidents", "/incident")
