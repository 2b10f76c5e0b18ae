"""What people do in messages, what the app gets, and what nobody could do."""

from __future__ import annotations

from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.practice.server import PracticeWorkspace
from bot.practice.shapes import BadAck, CannotDo
from bot.practice.state import Message

Json = dict[str, Any]
EVERY_ACTION = ("ack", "block", "more", "sev", "steps", "who")


@pytest.fixture
async def seen(app: AsyncApp, connect: Any) -> list[Json]:
    """Payloads of actions, commands and shortcuts as the app got them."""
    found: list[Json] = []

    async def take(ack: Any, body: Json) -> None:
        found.append(body)
        await ack()

    for action_id in EVERY_ACTION:
        app.action(action_id)(take)
    app.command("/incident")(take)
    app.shortcut("short")(take)
    await connect(app)
    return found


@pytest.fixture
async def message(ws: PracticeWorkspace, client: AsyncWebClient, card: list[Json]) -> Message:
    await client.chat_postMessage(channel=ws.channel("incidents").id, text="card", blocks=card)
    return ws.messages("incidents")[0]


async def test_a_message_tells_what_a_person_reads_and_can_press(message: Message) -> None:
    assert "INC-1" in message.plain() and "Acknowledge" in message.plain()
    assert [(one.action_id, one.value, one.text) for one in message.buttons()] == [
        ("ack", "1", "Acknowledge"),
        ("block", "7", "Block"),
    ]


async def test_a_press_comes_with_everything_slack_sends(
    ws: PracticeWorkspace, seen: list[Json], message: Message
) -> None:
    alice = ws.person("alice")
    await alice.choose("incidents", message, "sev", "two")
    await alice.press("incidents", message.ts, "ack")
    choice, press = seen
    assert choice["actions"][0]["selected_option"]["value"] == "two"
    assert press["actions"][0]["value"] == "1" and press["actions"][0]["block_id"] == "buttons"
    assert press["container"] == {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": False,
    }
    assert press["message"]["ts"] == message.ts and press["message"]["bot_id"]
    assert press["state"]["values"]["buttons"]["sev"]["selected_option"]["value"] == "two"
    assert press["state"]["values"]["buttons"]["steps"] == {"type": "checkboxes", "selected_options": []}
    assert press["trigger_id"] != choice["trigger_id"]


async def test_every_kind_of_choice_has_its_own_shape(
    ws: PracticeWorkspace, seen: list[Json], message: Message
) -> None:
    alice = ws.person("alice")
    await alice.choose("incidents", message, "steps", ["one", "three"])
    await alice.choose("incidents", message, "more", "two")
    await alice.choose("incidents", message, "who", "bob")
    steps, more, who = (body["actions"][0] for body in seen)
    assert [one["value"] for one in steps["selected_options"]] == ["one", "three"]
    assert more["selected_option"]["value"] == "two"
    assert who["selected_user"] == ws.person("bob").id


async def test_a_confirmation_dialog_can_be_read_and_declined(
    ws: PracticeWorkspace, seen: list[Json], message: Message
) -> None:
    alice = ws.person("alice")
    shown = alice.confirmation("incidents", message, "block")
    assert shown is not None and shown["text"] == "Really block?"
    assert await alice.press("incidents", message, "block", confirm=False) is False
    assert seen == []
    assert await alice.press("incidents", message, "block") is True
    assert len(seen) == 1


async def test_buttons_of_the_same_id_are_told_apart_by_value(
    ws: PracticeWorkspace, client: AsyncWebClient, seen: list[Json]
) -> None:
    blocks = [
        {
            "type": "actions",
            "elements": [
                {"type": "button", "action_id": "ack", "value": value, "text": {"type": "plain_text", "text": value}}
            ],
        }
        for value in ("a", "b")
    ]
    await client.chat_postMessage(channel=ws.channel("incidents").id, text="x", blocks=blocks)
    message = ws.messages("incidents")[-1]
    alice = ws.person("alice")
    with pytest.raises(CannotDo, match="several"):
        await alice.press("incidents", message, "ack")
    await alice.press("incidents", message, "ack", "b")
    await alice.press("incidents", message, "ack", 0)
    assert [body["actions"][0]["value"] for body in seen] == ["b", "a"]
    with pytest.raises(CannotDo, match="has the value"):
        await alice.press("incidents", message, "ack", "c")


async def test_an_ephemeral_message_is_pressed_without_a_message_in_the_payload(
    ws: PracticeWorkspace, client: AsyncWebClient, seen: list[Json], card: list[Json]
) -> None:
    alice = ws.person("alice")
    await client.chat_postEphemeral(channel=ws.channel("incidents").id, user=alice.id, text="x", blocks=card)
    [hidden] = alice.ephemerals()
    await alice.press("incidents", hidden, "ack")
    assert seen[0]["container"]["is_ephemeral"] is True and "message" not in seen[0]
    with pytest.raises(CannotDo, match="somebody else"):
        await ws.person("bob").press("incidents", hidden, "ack")


async def test_shortcuts_have_their_shapes(ws: PracticeWorkspace, seen: list[Json], message: Message) -> None:
    alice = ws.person("alice")
    await alice.shortcut("short")
    await alice.message_shortcut("incidents", message, "short")
    plain, on_message = seen
    assert plain["type"] == "shortcut" and "channel" not in plain and "response_url" not in plain
    assert on_message["type"] == "message_action" and on_message["message_ts"] == message.ts


async def test_nobody_can_press_what_is_not_there(
    ws: PracticeWorkspace, client: AsyncWebClient, seen: list[Json], message: Message
) -> None:
    alice = ws.person("alice")
    with pytest.raises(CannotDo, match="there is no 'nothing'"):
        await alice.press("incidents", message, "nothing")
    with pytest.raises(CannotDo, match="not a button"):
        await alice.press("incidents", message, "sev")
    with pytest.raises(CannotDo, match="not offered"):
        await alice.choose("incidents", message, "sev", "nine")
    with pytest.raises(CannotDo, match="sees no channel"):
        await ws.person("gina").press("incidents", message, "ack")
    await client.chat_delete(channel=message.channel, ts=message.ts)
    with pytest.raises(CannotDo, match="deleted"):
        await alice.press("incidents", message, "ack")
    assert seen == []


async def test_private_channels_are_closed_to_others(
    ws: PracticeWorkspace, client: AsyncWebClient, seen: list[Json], card: list[Json]
) -> None:
    made = await client.conversations_create(name="inc-1", is_private=True)
    await client.conversations_invite(channel=made["channel"]["id"], users=[ws.person("alice").id])
    await client.chat_postMessage(channel=made["channel"]["id"], text="card", blocks=card)
    message = ws.messages("inc-1")[0]
    await ws.person("alice").press("inc-1", message, "ack")
    bob = ws.person("bob")
    for attempt in (bob.press("inc-1", message, "ack"), bob.slash("inc-1", "/incident"), bob.join("inc-1")):
        with pytest.raises(CannotDo, match="sees no channel"):
            await attempt
    assert len(seen) == 1


async def test_people_write_only_where_they_are_and_where_it_is_open(ws: PracticeWorkspace, seen: list[Json]) -> None:
    alice, gina = ws.person("alice"), ws.person("gina")
    with pytest.raises(CannotDo):
        await gina.say("general", "hi")
    with pytest.raises(CannotDo):
        await gina.join("general")
    with pytest.raises(CannotDo):
        await gina.slash("incidents", "/incident")
    await alice.invite("random", "gina")
    await gina.say("random", "hi")
    await alice.leave("random")
    with pytest.raises(CannotDo, match="not a member"):
        await alice.slash("random", "/incident")
    await alice.join("random")
    await alice.archive("random")
    with pytest.raises(CannotDo, match="archived"):
        await alice.say("random", "hi")
    with pytest.raises(CannotDo):
        await alice.leave("general")
    with pytest.raises(CannotDo):
        await ws.person("bob").delete("random", ws.messages("random")[0])


async def test_what_people_type_is_inert(ws: PracticeWorkspace) -> None:
    said = await ws.person("alice").say("incidents", "<!channel> & @bob <https://evil.example|x>")
    assert said.text == f"&lt;!channel&gt; &amp; <@{ws.person('bob').id}> &lt;https://evil.example|x&gt;"
    assert said.live().mentions == [f"<@{ws.person('bob').id}>"]


async def test_a_command_answered_with_bad_blocks_fails(ws: PracticeWorkspace, app: AsyncApp, connect: Any) -> None:
    @app.command("/incident")
    async def command(ack: Any) -> None:
        await ack(blocks=[{"type": "nonsense"}], text="x")

    await connect(app)
    with pytest.raises(BadAck, match="invalid_command_response"):
        await ws.person("alice").slash("incidents", "/incident")


async def test_a_command_can_be_answered_for_everybody(ws: PracticeWorkspace, app: AsyncApp, connect: Any) -> None:
    @app.command("/incident")
    async def command(ack: Any) -> None:
        await ack(text="for all", response_type="in_channel")

    await connect(app)
    await ws.person("alice").slash("incidents", "/incident")
    assert [one.text for one in ws.messages("incidents")] == ["for all"]


async def test_unregistered_commands_do_not_exist(clock: Any) -> None:
    async with PracticeWorkspace(now=clock, commands=frozenset({"/incident"})) as ws:
        with pytest.raises(CannotDo, match="not a valid command"):
            await ws.person("alice").slash("incidents", "/other")


async def hook_of(ws: PracticeWorkspace, seen: list[Json], *, press: Message | None = None) -> AsyncWebhookClient:
    if press is None:
        await ws.person("alice").slash("incidents", "/incident")
    else:
        await ws.person("alice").press("incidents", press, "ack")
    return AsyncWebhookClient(seen[-1]["response_url"])


async def test_a_response_url_works_five_times(ws: PracticeWorkspace, seen: list[Json]) -> None:
    hook = await hook_of(ws, seen)
    for number in range(5):
        assert (await hook.send(text=str(number))).status_code == 200
    last = await hook.send(text="6")
    assert (last.status_code, last.body) == (404, "used_url")
    assert [one.text for one in ws.person("alice").ephemerals()] == ["0", "1", "2", "3", "4"]


async def test_a_response_url_works_for_half_an_hour(ws: PracticeWorkspace, seen: list[Json], clock: Any) -> None:
    hook = await hook_of(ws, seen)
    clock.advance(30 * 60)
    assert (await hook.send(text="x")).status_code == 200
    clock.advance(1)
    assert (await hook.send(text="x")).body == "expired_url"


async def test_a_response_url_replaces_or_deletes_the_message_that_was_pressed(
    ws: PracticeWorkspace, seen: list[Json], message: Message
) -> None:
    hook = await hook_of(ws, seen, press=message)
    await hook.send(text="new", replace_original=True)
    assert message.text == "new" and message.blocks == []
    await hook.send(text="also", response_type="in_channel", replace_original=False)
    await hook.send(delete_original=True)
    assert [one.text for one in ws.messages("incidents")] == ["also"]
    bad = await hook.send(text="x", blocks=[{"type": "nonsense"}])
    assert (bad.status_code, bad.body) == (400, "invalid_blocks")


async def test_an_ephemeral_message_can_be_replaced_only_by_its_response_url(
    ws: PracticeWorkspace, client: AsyncWebClient, seen: list[Json], card: list[Json]
) -> None:
    alice = ws.person("alice")
    await client.chat_postEphemeral(channel=ws.channel("incidents").id, user=alice.id, text="x", blocks=card)
    await alice.press("incidents", alice.ephemerals()[0], "ack")
    await AsyncWebhookClient(seen[0]["response_url"]).send(text="done", replace_original=True)
    assert [one.text for one in alice.ephemerals()] == ["done"]


async def test_an_external_select_asks_the_app_what_to_offer(
    ws: PracticeWorkspace, app: AsyncApp, client: AsyncWebClient, seen: list[Json]
) -> None:
    asked: list[Json] = []

    @app.options("sev")
    async def offer(ack: Any, body: Json) -> None:
        asked.append(body)
        await ack(options=[{"text": {"type": "plain_text", "text": "Nine"}, "value": "nine"}])

    element = {"type": "external_select", "action_id": "sev"}
    blocks = [{"type": "actions", "elements": [element]}]
    await client.chat_postMessage(channel=ws.channel("incidents").id, text="x", blocks=blocks)
    alice = ws.person("alice")
    await alice.choose("incidents", ws.messages("incidents")[0], "sev", "nine")
    assert asked[0]["type"] == "block_suggestion" and asked[0]["value"] == "nine"
    assert seen[0]["actions"][0]["selected_option"]["value"] == "nine"
    with pytest.raises(CannotDo, match="not offered"):
        await alice.choose("incidents", ws.messages("incidents")[0], "sev", "ten")
