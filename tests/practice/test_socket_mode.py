"""Socket Mode with the real Bolt app: envelopes, acks, redelivery, disconnects."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.practice.server import PracticeWorkspace
from bot.practice.shapes import DidNotRespond


async def quiet(app: AsyncApp) -> None:
    """Take every event."""

    @app.event("message")
    @app.event("app_mention")
    @app.event("reaction_added")
    @app.event("member_joined_channel")
    @app.event("member_left_channel")
    @app.event("channel_archive")
    @app.event("app_home_opened")
    async def take() -> None: ...


async def test_a_command_is_answered_in_its_ack(ws: PracticeWorkspace, app: AsyncApp, connect: Any) -> None:
    seen: list[dict[str, Any]] = []

    @app.command("/incident")
    async def command(ack: Any, body: dict[str, Any]) -> None:
        seen.append(body)
        await ack(text=f"got {body['text']}")

    await connect(app)
    alice = ws.person("alice")
    reply = await alice.slash("incidents", "/incident sev 2")
    assert reply.text == "got sev 2"
    assert [one.text for one in alice.ephemerals()] == ["got sev 2"]
    assert seen[0]["channel_name"] == "incidents" and seen[0]["is_enterprise_install"] == "false"
    [ack] = ws.record.acks
    assert ack.payload == {"text": "got sev 2"} and not ack.late and 0 < ack.seconds < 1


async def test_a_command_without_an_ack_fails_for_the_person(
    ws: PracticeWorkspace, app: AsyncApp, connect: Any
) -> None:
    release = asyncio.Event()

    @app.command("/incident")
    async def command(ack: Any) -> None:
        await release.wait()
        await ack("late")

    await connect(app)
    ws.socket.ack_timeout = 0.05
    alice = ws.person("alice")
    with pytest.raises(DidNotRespond, match="operation_timeout"):
        await alice.slash("incidents", "/incident")
    [told] = alice.ephemerals()
    assert told.from_slackbot and "did not respond" in told.text
    assert ws.record.envelopes[-1].outcome == "expired"
    release.set()
    await ws.until(lambda: ws.record.acks)
    assert ws.record.acks[0].late and len(alice.ephemerals()) == 1


async def test_without_a_connection_a_command_cannot_be_delivered(ws: PracticeWorkspace) -> None:
    ws.socket.grace = 0.01
    with pytest.raises(DidNotRespond, match="dispatch_failed"):
        await ws.person("alice").slash("incidents", "/incident")


async def test_an_unacknowledged_event_comes_again_with_its_attempt(
    ws: PracticeWorkspace, app: AsyncApp, connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[tuple[str, str | None]] = []

    @app.middleware
    async def look(body: dict[str, Any], req: Any, next: Any) -> None:
        retry = req.headers.get("x-slack-retry-num")
        seen.append((body["event_id"], retry[0] if retry else None))
        if len(seen) > 1:
            await next()

    await quiet(app)
    await connect(app)
    ws.socket.ack_timeout = 0.05
    await ws.person("alice").say("incidents", "hello")
    await ws.until(lambda: len(seen) == 2)
    await ws.settled()
    assert seen[0][0] == seen[1][0]
    assert seen[0][1] in (None, "0") and seen[1][1] == "1"
    assert len(ws.record.envelopes[-1].sent) == 2


async def test_an_event_that_is_never_acknowledged_is_given_up(
    ws: PracticeWorkspace, app: AsyncApp, connect: Any
) -> None:
    @app.middleware
    async def drop() -> None: ...

    await connect(app)
    ws.socket.ack_timeout = 0.02
    await ws.person("alice").say("incidents", "hello")
    await ws.settled()
    assert ws.record.envelopes[-1].outcome == "expired"


async def test_the_same_envelope_can_be_delivered_many_times(
    ws: PracticeWorkspace, app: AsyncApp, connect: Any
) -> None:
    runs: list[str] = []

    @app.command("/incident")
    async def command(ack: Any, body: dict[str, Any]) -> None:
        runs.append(body["trigger_id"])
        await ack()

    await connect(app)
    await ws.person("alice").slash("incidents", "/incident")
    envelope = ws.record.envelopes[-1]
    assert await ws.redeliver(envelope.id, times=2) == 2
    assert len(runs) == 3 and len(set(runs)) == 1
    assert [ack.nth for ack in envelope.acks] == [1, 2, 3]


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_a_disconnect_makes_the_app_come_back(
    ws: PracticeWorkspace, app: AsyncApp, connect: Any, reason: str
) -> None:
    @app.command("/incident")
    async def command(ack: Any) -> None:
        await ack("here")

    await connect(app)
    await ws.disconnect(reason=reason)
    assert ws.connected == 0
    assert (await ws.person("alice").slash("incidents", "/incident")).text == "here"
    assert len(ws.record.calls("apps.connections.open")) == 2


async def test_a_cut_connection_is_opened_again(ws: PracticeWorkspace, app: AsyncApp, connect: Any) -> None:
    await connect(app)
    await ws.abort_sockets()
    assert ws.connected == 0
    await ws.until(lambda: ws.connected == 1, timeout=20)


async def test_envelopes_go_round_the_connections_one_each(
    ws: PracticeWorkspace, client: AsyncWebClient, connect: Any
) -> None:
    served: list[int] = []

    def make(number: int) -> AsyncApp:
        app = AsyncApp(client=client)

        @app.command("/incident")
        async def command(ack: Any) -> None:
            served.append(number)
            await ack()

        return app

    await connect(make(1))
    await connect(make(2))
    assert ws.connected == 2
    for _ in range(4):
        await ws.person("alice").slash("incidents", "/incident")
    assert sorted(served) == [1, 1, 2, 2]


async def open_socket(ws: PracticeWorkspace, http: aiohttp.ClientSession) -> tuple[str, Any, Any]:
    made = await AsyncWebClient(base_url=ws.api_url).apps_connections_open(app_token=ws.app_token)
    socket = await http.ws_connect(made["url"])
    return made["url"], socket, await socket.receive_json()


async def test_a_ticket_opens_one_connection_only(ws: PracticeWorkspace) -> None:
    async with aiohttp.ClientSession() as http:
        url, socket, hello = await open_socket(ws, http)
        assert hello["type"] == "hello" and hello["num_connections"] == 1
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(url)
        await socket.close()


async def test_the_eleventh_connection_is_told_that_there_are_too_many(ws: PracticeWorkspace) -> None:
    async with aiohttp.ClientSession() as http:
        opened = [await open_socket(ws, http) for _ in range(10)]
        assert opened[-1][2]["num_connections"] == 10
        _, last, first_frame = await open_socket(ws, http)
        assert first_frame["type"] == "disconnect" and first_frame["reason"] == "too_many_websockets"
        assert ws.connected == 10
        for _, socket, _ in opened:
            await socket.close()
        await last.close()


async def test_connections_can_be_refused_for_a_while(ws: PracticeWorkspace) -> None:
    ws.refuse_connections(1)
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await open_socket(ws, http)
        _, socket, _ = await open_socket(ws, http)
        await socket.close()


async def test_events_are_told_where_the_bot_is_and_nowhere_else(
    ws: PracticeWorkspace, app: AsyncApp, connect: Any
) -> None:
    await quiet(app)
    await connect(app)
    alice = ws.person("alice")
    await alice.say("general", "not for the bot")
    said = await alice.say("incidents", "hello @firsthour <!channel>")
    await alice.react("incidents", said, "pushpin")
    await alice.invite("general", "firsthour")
    await alice.open_home()
    await ws.settled()
    events = [one.payload["event"] for one in ws.record.envelopes]
    assert [one["type"] for one in events if one.get("subtype") is None] == [
        "message",
        "app_mention",
        "reaction_added",
        "member_joined_channel",
        "app_home_opened",
    ]
    assert events[0]["text"] == f"hello <@{ws.bot_user_id}> &lt;!channel&gt;"
    assert all(one.outcome == "acked" for one in ws.record.envelopes)


async def test_only_subscribed_events_are_sent(clock: Any) -> None:
    async with PracticeWorkspace(now=clock, subscriptions=frozenset({"reaction_added"}), reconnect_grace=0.01) as ws:
        ws.socket.retry_delays = ()
        said = await ws.person("alice").say("incidents", "hello")
        await ws.person("alice").react("incidents", said, "eyes")
        assert [one.payload["event"]["type"] for one in ws.record.envelopes] == ["reaction_added"]
