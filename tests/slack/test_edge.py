"""The edge over a real socket: acknowledged first, counted once, always answered, whatever fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.incident.errors import Refused
from bot.practice.people import Person
from bot.practice.server import PracticeWorkspace
from bot.slack import edge
from bot.slack.bolt import App, AsyncSlackRequestHandler, build_app
from bot.slack.buttons import Button, value
from bot.slack.directory import Directory
from bot.slack.feature import Answer, Asked, Feature, Form, Modal, Shown
from bot.slack.kit import section
from bot.slack.modal import modal, text_input
from bot.slack.sockets import SocketMode
from bot.slack.text import md
from bot.store import Store

ROOM = "incidents"


@dataclass
class Seen:
    """What the fake features were handed, and the store that they count in."""

    store: Store
    asked: list[Asked] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)


class Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(min_length=3)
    incident: int | None = None


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


async def count(ctx: Seen, asked: Asked, form: BaseModel) -> str:
    ctx.asked.append(asked)
    async with ctx.store.unit(inbound=asked.inbound) as unit:
        return unit.answer(f"Counted {await unit.next_number()}")


async def click(ctx: Seen, asked: Asked) -> str:
    return await count(ctx, asked, Nothing())


async def boom(ctx: Seen, asked: Asked, form: Nothing) -> str:
    raise RuntimeError("a secret detail")


async def refuse(ctx: Seen, asked: Asked, form: Nothing) -> str:
    raise Refused("Only the commander may do this. Press *Take command* first.")


async def wait(ctx: Seen, asked: Asked, form: Nothing) -> str:
    await ctx.gate.wait()
    return "At last"


async def shown(ctx: Seen, asked: Asked, form: Nothing) -> Answer:
    return Shown("fallback", [section(md("in a block"))])


async def opened(ctx: Seen, asked: Asked) -> Modal:
    return Modal(modal("words", "Words", text_input("text", "Text"), metadata=value(12, "rest")))


async def submitted(ctx: Seen, asked: Asked, form: Words) -> str:
    if form.text == "refuse":
        raise Refused("Not now.")
    ctx.asked.append(asked)
    return f"Read {form.text} for {form.incident}"


def verb(name: str, run: object, **more: object) -> Feature[Seen]:
    return Feature(verb=name, summary=name, model=Nothing, examples=(f"/incident {name}",), run=run, **more)  # type: ignore[arg-type]


FEATURES: tuple[Feature[Seen], ...] = (
    verb("declare", count, bare=opened),
    verb("count", count, buttons={Button.ACKNOWLEDGE: click}),
    verb("boom", boom),
    verb("refuse", refuse),
    verb("wait", wait),
    verb("shown", shown),
    verb("help", count, guests=True),
    Feature(
        verb="say",
        summary="say",
        model=Words,
        examples=("/incident say hello",),
        run=submitted,
        positional=("text",),
        bare=opened,
        forms=(Form("words", Words, submitted),),
    ),
)


@pytest.fixture
async def ws() -> AsyncIterator[PracticeWorkspace]:
    async with PracticeWorkspace(reconnect_grace=5.0) as workspace:
        yield workspace


@pytest.fixture
def client(ws: PracticeWorkspace) -> AsyncWebClient:
    return AsyncWebClient(token=ws.bot_token, base_url=ws.api_url, retry_handlers=[])


@pytest.fixture
def ctx(sqlite_store: Store) -> Seen:
    return Seen(sqlite_store)


@pytest.fixture
async def app(ws: PracticeWorkspace, client: AsyncWebClient, ctx: Seen) -> AsyncIterator[App]:
    built = build_app(client, FEATURES, ctx, ctx.store, Directory(client))
    socket = await SocketMode.connect(built, ws.app_token, connections=1, ping_interval=0.2)
    await ws.until(lambda: ws.connected == 1)
    yield built
    await built.edge.drain()
    await socket.close()


@pytest.fixture
def alice(ws: PracticeWorkspace, app: App) -> Person:
    return ws.person("alice")


async def told(ws: PracticeWorkspace, person: Person, start: str) -> str:
    """Wait until the person alone is told something that begins so."""

    def found() -> str:
        direct = [one.text for one in ws.messages(ws.direct(person.name))]
        return next((text for text in [one.text for one in person.ephemerals()] + direct if text.startswith(start)), "")

    return await ws.until(found)


async def test_a_command_is_acknowledged_then_answered_to_that_person_alone(
    ws: PracticeWorkspace, alice: Person
) -> None:
    await alice.slash(ROOM, "/incident count")
    await told(ws, alice, "Counted 1")
    assert ws.messages(ROOM) == [] and ws.person("bob").ephemerals() == []
    assert ws.record.acks[0].payload == {}


async def test_an_acknowledgement_waits_for_no_work(ws: PracticeWorkspace, alice: Person, ctx: Seen) -> None:
    await alice.slash(ROOM, "/incident wait")
    assert ws.record.acks[0].seconds < 1
    assert alice.ephemerals() == []
    ctx.gate.set()
    await told(ws, alice, "At last")


async def test_a_handler_that_raises_was_acknowledged_and_the_person_gets_a_reference_without_the_detail(
    ws: PracticeWorkspace, alice: Person
) -> None:
    await alice.slash(ROOM, "/incident boom")
    text = await told(ws, alice, "Something went wrong on our side (ref ")
    assert "secret detail" not in text and "try again" in text
    assert len(ws.record.acks) == 1


async def test_a_refusal_is_told_in_its_own_words(ws: PracticeWorkspace, alice: Person) -> None:
    await alice.slash(ROOM, "/incident refuse")
    await told(ws, alice, "Only the commander may do this.")


async def test_an_unknown_verb_gets_the_nearest_one(ws: PracticeWorkspace, alice: Person) -> None:
    await alice.slash(ROOM, "/incident cuont")
    assert "`/incident count`" in await told(ws, alice, "There is no verb")


async def test_an_answer_with_blocks_reaches_only_who_asked(ws: PracticeWorkspace, alice: Person) -> None:
    await alice.slash(ROOM, "/incident shown")
    await told(ws, alice, "fallback")
    assert alice.ephemerals()[0].blocks[0]["text"]["text"] == "in a block"


async def test_events_and_unknown_payloads_are_acknowledged(ws: PracticeWorkspace, alice: Person) -> None:
    await alice.say(ROOM, "hello")
    await alice.open_home()
    await alice.shortcut("of_another_version")
    await ws.settled()
    assert len(ws.record.envelopes) >= 3 and all(envelope.acked for envelope in ws.record.envelopes)


async def test_the_same_envelope_three_times_changes_the_state_once_and_repeats_the_answer(
    ws: PracticeWorkspace, alice: Person, ctx: Seen
) -> None:
    await alice.slash(ROOM, "/incident count")
    await ws.redeliver(ws.record.envelopes[-1].id, times=2)
    await ws.until(lambda: len(alice.ephemerals()) == 3)
    assert {one.text for one in alice.ephemerals()} == {"Counted 1"}


async def test_a_click_is_counted_with_the_incident_of_its_button(
    ws: PracticeWorkspace, alice: Person, client: AsyncWebClient, ctx: Seen
) -> None:
    channel = ws.channel(ROOM)
    await post_button(client, channel.id, Button.ACKNOWLEDGE.value, "12|3|ab")
    await alice.press(ROOM, ws.messages(ROOM)[0], Button.ACKNOWLEDGE.value)
    await told(ws, alice, "Counted 1")
    assert (ctx.asked[0].incident, ctx.asked[0].value, ctx.asked[0].channel) == (12, "3|ab", channel.id)
    assert ctx.asked[0].inbound.startswith("click:") and alice.id in ctx.asked[0].inbound


async def test_a_button_of_an_older_version_is_answered(
    ws: PracticeWorkspace, alice: Person, client: AsyncWebClient
) -> None:
    await post_button(client, ws.channel(ROOM).id, "gone_since", "12")
    await alice.press(ROOM, ws.messages(ROOM)[0], "gone_since")
    await told(ws, alice, "This button is from an older version")


async def post_button(client: AsyncWebClient, channel: str, action_id: str, given: str) -> None:
    element = {"type": "button", "action_id": action_id, "value": given, "text": {"type": "plain_text", "text": "Go"}}
    await client.chat_postMessage(channel=channel, text="card", blocks=[{"type": "actions", "elements": [element]}])


async def test_the_command_alone_and_the_shortcut_open_the_declare_form(ws: PracticeWorkspace, alice: Person) -> None:
    await alice.slash(ROOM, "/incident")
    await ws.until(lambda: alice.view)
    bob = ws.person("bob")
    await bob.shortcut(edge.DECLARE)
    await ws.until(lambda: bob.view)


async def test_a_form_that_does_not_fit_stays_open_with_its_errors(ws: PracticeWorkspace, alice: Person) -> None:
    await alice.slash(ROOM, "/incident say")
    await ws.until(lambda: alice.view)
    result = await alice.submit(None, {"text": "no"})
    assert not result.closed and "text" in result.errors


async def test_a_form_is_read_with_the_incident_that_it_carries(
    ws: PracticeWorkspace, alice: Person, ctx: Seen
) -> None:
    await alice.slash(ROOM, "/incident say")
    await ws.until(lambda: alice.view)
    assert (await alice.submit(None, {"text": "hello"})).closed
    await told(ws, alice, "Read hello for 12")
    assert (ctx.asked[0].value, ctx.asked[0].channel) == ("rest", ws.channel(ROOM).id)


async def test_a_refusal_after_the_form_closed_still_reaches_the_person(ws: PracticeWorkspace, alice: Person) -> None:
    await alice.slash(ROOM, "/incident say")
    await ws.until(lambda: alice.view)
    await alice.submit(None, {"text": "refuse"})
    await told(ws, alice, "Not now.")


async def test_a_guest_is_refused_all_but_what_is_open_to_guests(
    ws: PracticeWorkspace, app: App, client: AsyncWebClient, ctx: Seen
) -> None:
    gina = ws.person("gina")
    await ws.person("alice").invite(ROOM, "gina")
    await gina.slash(ROOM, "/incident count")
    await told(ws, gina, "Only full members")
    assert ctx.asked == []
    await gina.slash(ROOM, "/incident help")
    await told(ws, gina, "Counted 1")


async def test_a_rate_limited_answer_comes_after_the_time_that_slack_named(
    ws: PracticeWorkspace, alice: Person
) -> None:
    ws.faults.add(method="response_url", kind="ratelimited", retry_after=1)
    await alice.slash(ROOM, "/incident count")
    assert ws.record.acks[0].seconds < 1
    await told(ws, alice, "Counted 1")
    assert len(ws.record.hook_posts) == 2


async def test_an_answer_finds_another_way_where_the_response_url_is_gone(ws: PracticeWorkspace, alice: Person) -> None:
    ws.faults.add(method="response_url", kind="status", status=404)
    ws.faults.add(method="chat.postEphemeral", kind="error", error="user_not_in_channel")
    await alice.slash(ROOM, "/incident count")
    await told(ws, alice, "Counted 1")
    assert [one.text for one in ws.messages(ws.direct("alice"))] == ["Counted 1"]


async def test_a_form_that_comes_too_late_is_explained(ws: PracticeWorkspace, alice: Person) -> None:
    ws.faults.add(method="views.open", kind="error", error="expired_trigger_id")
    await alice.slash(ROOM, "/incident say")
    await told(ws, alice, "Slack did not open the form in time.")


async def test_one_cut_connection_of_two_loses_no_command(
    ws: PracticeWorkspace, client: AsyncWebClient, ctx: Seen
) -> None:
    back: list[int] = []
    built = build_app(client, FEATURES, ctx, ctx.store, Directory(client))
    socket = await SocketMode.connect(built, ws.app_token, ping_interval=0.2, on_reconnect=lambda: back.append(1))
    try:
        assert socket.connected == 2
        await ws.until(lambda: ws.connected == 2)
        await ws.abort_sockets()
        await asyncio.gather(*(ws.person(name).slash(ROOM, "/incident count") for name in ("alice", "bob", "carol")))
        await ws.until(lambda: len(ctx.asked) == 3 and ws.connected == 2)
        assert back and socket.reconnects == len(back)
    finally:
        await built.edge.drain()
        await socket.close()
    assert socket.connected == 0


def test_two_features_cannot_claim_one_button(client: AsyncWebClient, ctx: Seen) -> None:
    twice = (*FEATURES, verb("other", count, buttons={Button.ACKNOWLEDGE: click}))
    with pytest.raises(ValueError, match="acknowledge is handled by both"):
        build_app(client, twice, ctx, ctx.store, Directory(client))


async def test_over_http_a_signed_command_is_acknowledged_and_a_bad_signature_changes_nothing(
    ws: PracticeWorkspace, client: AsyncWebClient, ctx: Seen
) -> None:
    built = build_app(client, FEATURES, ctx, ctx.store, Directory(client), signing_secret="secret")
    web = FastAPI()
    web.add_route("/slack/events", AsyncSlackRequestHandler(built).handle, methods=["POST"])
    user, channel = ws.person("alice").id, ws.channel(ROOM).id
    fields = {"command": "/incident", "text": "count", "user_id": user, "channel_id": channel, "trigger_id": "1.2.3"}
    body = urlencode(fields)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://bot") as slack:
        for secret, status in (("wrong", 401), ("secret", 200)):
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            headers |= Signer(secret).sign(body)
            answer = await slack.post("/slack/events", content=body, headers=headers)
            assert (answer.status_code, answer.text if status == 200 else "") == (status, "")
    await told(ws, ws.person("alice"), "Counted 1")
    assert len(ctx.asked) == 1
    await built.edge.drain()


class Signer(SignatureVerifier):
    def sign(self, body: str) -> dict[str, str]:
        now = str(int(time.time()))
        signature = self.generate_signature(timestamp=now, body=body)
        assert signature is not None
        return {"X-Slack-Request-Timestamp": now, "X-Slack-Signature": signature}
