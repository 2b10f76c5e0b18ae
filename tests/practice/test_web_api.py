"""The Web API as the real AsyncWebClient meets it."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.practice.server import PracticeWorkspace


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_arguments_come_in_the_query_of_a_post(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    made = await client.conversations_create(name="inc-1", is_private=True, team_id="T1")
    assert made["channel"]["is_private"] is True
    assert ws.channel("inc-1").members == [ws.bot_user_id]
    assert ws.record.calls("conversations.create")[0].args["is_private"] == "1"


@pytest.mark.parametrize("encoding", ["form", "json", "query", "json strings in a form"])
async def test_every_encoding_of_arguments_is_read(ws: PracticeWorkspace, encoding: str) -> None:
    blocks = [{"type": "divider"}]
    args: dict[str, Any] = {"channel": ws.channel("incidents").id, "text": "hi"}
    more: dict[str, Any] = {
        "form": {"data": args},
        "json": {"json": {**args, "blocks": blocks}},
        "query": {"params": args},
        "json strings in a form": {"data": {**args, "blocks": json.dumps(blocks)}},
    }[encoding]
    headers = {"Authorization": f"Bearer {ws.bot_token}"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{ws.api_url}chat.postMessage", headers=headers, **more) as r,
    ):
        assert (await r.json())["ok"], await r.text()
    assert ws.messages("incidents")[0].text == "hi"
    assert bool(ws.messages("incidents")[0].blocks) == ("json" in encoding)


async def test_a_token_may_come_as_an_argument_of_a_form_but_not_in_json(ws: PracticeWorkspace) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{ws.api_url}auth.test", data={"token": ws.bot_token}) as answer:
            assert (await answer.json())["user_id"] == ws.bot_user_id
            assert "chat:write" in answer.headers["x-oauth-scopes"]
        body = {"token": ws.bot_token, "channel": "incidents", "text": "x"}
        async with http.post(f"{ws.api_url}chat.postMessage", json=body) as answer:
            assert (await answer.json())["error"] == "not_authed"


async def test_tokens_of_the_wrong_kind_or_unknown_are_refused(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    assert await refused(AsyncWebClient(token="xoxb-no", base_url=ws.api_url).auth_test()) == "invalid_auth"
    assert await refused(client.apps_connections_open(app_token=ws.bot_token)) == "not_allowed_token_type"
    assert await refused(AsyncWebClient(token=ws.app_token, base_url=ws.api_url).users_list()) == (
        "not_allowed_token_type"
    )
    assert await refused(client.api_call("no.such")) == "unknown_method"
    ws.revoke("account_inactive")
    assert await refused(client.auth_test()) == "account_inactive"


async def test_a_missing_scope_is_named(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    ws.grant("chat:write", "channels:manage")
    with pytest.raises(SlackApiError) as caught:
        await client.conversations_create(name="secret", is_private=True)
    assert caught.value.response["needed"] == "groups:write"
    assert caught.value.response["provided"] == "channels:manage,chat:write"
    assert (await client.conversations_create(name="open"))["ok"]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", "invalid_name_required"),
        ("x" * 81, "invalid_name_maxlength"),
        ("Upper", "invalid_name_specials"),
        ("a b", "invalid_name_specials"),
        ("a.b", "invalid_name_specials"),
        ("--__", "invalid_name_punctuation"),
        ("general", "name_taken"),
    ],
)
async def test_channel_names_are_checked(client: AsyncWebClient, name: str, error: str) -> None:
    assert await refused(client.conversations_create(name=name)) == error


async def test_an_archived_channel_keeps_its_name(client: AsyncWebClient) -> None:
    made = await client.conversations_create(name="x" * 80)
    channel = made["channel"]["id"]
    await client.conversations_archive(channel=channel)
    assert await refused(client.conversations_archive(channel=channel)) == "already_archived"
    assert await refused(client.conversations_create(name="x" * 80)) == "name_taken"
    assert await refused(client.chat_postMessage(channel=channel, text="x")) == "is_archived"
    assert await refused(client.conversations_setTopic(channel=channel, topic="x")) == "is_archived"


async def test_an_invitation_is_all_or_nothing_unless_forced(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    channel = (await client.conversations_create(name="inc-1"))["channel"]["id"]
    alice, bob = ws.person("alice").id, ws.person("bob").id
    assert await refused(client.conversations_invite(channel=channel, users=[alice, "UNOBODY"])) == "user_not_found"
    assert alice not in ws.channel("inc-1").members
    forced = await client.conversations_invite(channel=channel, users=[alice, bob, "UNOBODY"], force=True)
    assert forced["errors"] == [{"user": "UNOBODY", "ok": False, "error": "user_not_found"}]
    assert await refused(client.conversations_invite(channel=channel, users=alice)) == "already_in_channel"
    assert await refused(client.conversations_invite(channel=channel, users=ws.bot_user_id)) == "cant_invite_self"
    assert await refused(client.conversations_invite(channel=channel, users=[])) == "no_user"
    assert await refused(client.conversations_invite(channel=channel, users=["U"] * 101)) == "invalid_arguments"


async def test_topics_are_at_most_250_characters(client: AsyncWebClient) -> None:
    channel = (await client.conversations_create(name="inc-1"))["channel"]["id"]
    assert (await client.conversations_setTopic(channel=channel, topic="x" * 250))["ok"]
    assert await refused(client.conversations_setTopic(channel=channel, topic="x" * 251)) == "too_long"
    assert await refused(client.conversations_setPurpose(channel=channel, purpose="x" * 251)) == "too_long"


async def test_what_the_bot_is_not_in_it_cannot_see_or_write(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    hidden = await ws.person("alice").create_channel("hidden", private=True)
    assert await refused(client.chat_postMessage(channel=hidden.id, text="x")) == "channel_not_found"
    assert await refused(client.conversations_info(channel=hidden.id)) == "channel_not_found"
    general = ws.channel("general").id
    assert await refused(client.chat_postMessage(channel=general, text="x")) == "not_in_channel"
    assert await refused(client.conversations_history(channel=general)) == "not_in_channel"
    assert await refused(client.pins_add(channel=general, timestamp="1.000000")) == "not_in_channel"
    await client.conversations_join(channel=general)
    assert (await client.chat_postMessage(channel=general, text="x"))["ok"]
    assert await refused(client.conversations_archive(channel=general)) == "cant_archive_general"
    assert await refused(client.conversations_rename(channel=general, name="other")) == "not_authorized"


async def test_lists_and_history_come_in_pages(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    channel = ws.channel("incidents").id
    for number in range(5):
        await client.chat_postMessage(channel=channel, text=str(number))
    seen: list[str] = []
    async for page in await client.conversations_history(channel=channel, limit=2):
        seen += [message["text"] for message in page["messages"]]
    assert seen == ["4", "3", "2", "1", "0"]
    members: list[str] = []
    async for page in await client.conversations_members(channel=channel, limit=3):
        members += page["members"]
    assert members == ws.channel("incidents").members
    assert await refused(client.conversations_members(channel=channel, cursor="junk")) == "invalid_cursor"
    assert await refused(client.conversations_history(channel=channel, limit=1000)) == "invalid_limit"


async def test_history_strips_metadata_unless_asked(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    channel = ws.channel("incidents").id
    await client.chat_postMessage(
        channel=channel, text="x", metadata={"event_type": "card", "event_payload": {"id": "1"}}
    )
    short = await client.conversations_history(channel=channel)
    assert short["messages"][0]["metadata"] == {"event_type": "card"}
    full = await client.conversations_history(channel=channel, include_all_metadata=True)
    assert full["messages"][0]["metadata"]["event_payload"] == {"id": "1"}


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"event_type": "x"}, "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": {"a": {"b": {"c": 1}}}}, "invalid_metadata_schema"),
        ({"event_type": "x", "event_payload": {"a": "x" * 20_000}}, "metadata_too_large"),
    ],
)
async def test_bad_metadata_is_refused(
    ws: PracticeWorkspace, client: AsyncWebClient, metadata: dict[str, Any], error: str
) -> None:
    channel = ws.channel("incidents").id
    assert await refused(client.chat_postMessage(channel=channel, text="x", metadata=metadata)) == error


async def test_threads_are_read_as_threads(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    channel = ws.channel("incidents").id
    parent = (await client.chat_postMessage(channel=channel, text="parent"))["ts"]
    first = (await client.chat_postMessage(channel=channel, text="a", thread_ts=parent))["ts"]
    await client.chat_postMessage(channel=channel, text="b", thread_ts=first)
    replies = await client.conversations_replies(channel=channel, ts=parent)
    assert [one["text"] for one in replies["messages"]] == ["parent", "a", "b"]
    history = await client.conversations_history(channel=channel)
    assert [one["text"] for one in history["messages"]] == ["parent"]
    assert history["messages"][0]["reply_count"] == 2
    assert await refused(client.chat_postMessage(channel=channel, text="c", thread_ts="1.000000")) == "thread_not_found"


async def test_text_is_limited_where_slack_limits_it(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    channel = ws.channel("incidents").id
    sent = await client.chat_postMessage(channel=channel, text="x" * 4041)
    assert [len(one.text) for one in ws.messages("incidents")] == [4000, 41]
    assert (await client.chat_update(channel=channel, ts=sent["ts"], text="x" * 4000))["ok"]
    assert await refused(client.chat_update(channel=channel, ts=sent["ts"], text="x" * 4001)) == "msg_too_long"
    assert await refused(client.api_call("chat.postMessage", json={"channel": channel, "text": " "})) == "no_text"


async def test_an_update_with_text_alone_drops_the_blocks(
    ws: PracticeWorkspace, client: AsyncWebClient, card: list[dict[str, Any]]
) -> None:
    channel = ws.channel("incidents").id
    meta = {"event_type": "card", "event_payload": {"id": "1"}}
    ts = (await client.chat_postMessage(channel=channel, text="card", blocks=card, metadata=meta))["ts"]
    await client.api_call("chat.update", json={"channel": channel, "ts": ts, "blocks": [{"type": "divider"}]})
    message = ws.messages("incidents")[0]
    assert message.text == "card" and message.blocks[0]["type"] == "divider" and message.edited is None
    await client.chat_update(channel=channel, ts=ts, text="new")
    assert message.blocks == [] and message.edited is not None
    assert message.metadata == meta
    assert [one.change for one in ws.record.versions] == ["posted", "updated", "updated"]


async def test_only_own_messages_can_be_changed(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    said = await ws.person("alice").say("incidents", "mine")
    channel = ws.channel("incidents").id
    assert await refused(client.chat_update(channel=channel, ts=said.ts, text="x")) == "cant_update_message"
    assert await refused(client.chat_delete(channel=channel, ts=said.ts)) == "cant_delete_message"
    assert await refused(client.chat_update(channel=channel, ts="1.000000", text="x")) == "message_not_found"


async def test_ephemeral_messages_go_to_members_only_and_stay_out_of_history(
    ws: PracticeWorkspace, client: AsyncWebClient
) -> None:
    channel = ws.channel("incidents").id
    alice, gina = ws.person("alice"), ws.person("gina")
    sent = await client.chat_postEphemeral(channel=channel, user=alice.id, text="psst")
    assert [one.text for one in alice.ephemerals("incidents")] == ["psst"]
    assert ws.person("bob").ephemerals() == []
    assert (await client.conversations_history(channel=channel))["messages"] == []
    assert await refused(client.chat_update(channel=channel, ts=sent["message_ts"], text="x")) == "message_not_found"
    assert await refused(client.chat_postEphemeral(channel=channel, user=gina.id, text="x")) == "user_not_in_channel"


async def test_a_person_as_channel_is_a_direct_message(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    alice = ws.person("alice")
    opened = await client.conversations_open(users=[alice.id])
    sent = await client.chat_postMessage(channel=alice.id, text="hello")
    assert sent["channel"] == opened["channel"]["id"] == ws.direct("alice").id
    assert await refused(client.conversations_open(users=["UNOBODY"])) == "user_not_found"


async def test_pins_bookmarks_and_reactions_keep_state(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    channel = ws.channel("incidents").id
    ts = (await client.chat_postMessage(channel=channel, text="card"))["ts"]
    await client.pins_add(channel=channel, timestamp=ts)
    assert await refused(client.pins_add(channel=channel, timestamp=ts)) == "already_pinned"
    assert await refused(client.pins_add(channel=channel, timestamp="x")) == "bad_timestamp"
    assert (await client.pins_list(channel=channel))["items"][0]["message"]["ts"] == ts
    await client.pins_remove(channel=channel, timestamp=ts)
    assert await refused(client.pins_remove(channel=channel, timestamp=ts)) == "no_pin"

    added = await client.bookmarks_add(channel_id=channel, title="Doc", type="link", link="https://a.example")
    bookmark = added["bookmark"]["id"]
    await client.bookmarks_edit(channel_id=channel, bookmark_id=bookmark, title="Other")
    assert [one["title"] for one in (await client.bookmarks_list(channel_id=channel))["bookmarks"]] == ["Other"]
    await client.bookmarks_remove(channel_id=channel, bookmark_id=bookmark)
    assert ws.channel("incidents").bookmarks == []
    bad = client.bookmarks_add(channel_id=channel, title="Doc", type="link", link="javascript:alert(1)")
    assert await refused(bad) == "invalid_link"

    await client.reactions_add(channel=channel, timestamp=ts, name="eyes")
    assert await refused(client.reactions_add(channel=channel, timestamp=ts, name="eyes")) == "already_reacted"
    assert await refused(client.reactions_add(channel=channel, timestamp=ts, name="Not!")) == "invalid_name"
    await client.reactions_remove(channel=channel, timestamp=ts, name="eyes")
    assert await refused(client.reactions_remove(channel=channel, timestamp=ts, name="eyes")) == "no_reaction"


async def test_people_and_groups_can_be_looked_up(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    alice = ws.person("alice")
    found = await client.users_lookupByEmail(email="alice@practice.example")
    assert found["user"]["id"] == alice.id and found["user"]["is_admin"] is True
    assert (await client.users_info(user=ws.person("gina").id))["user"]["is_restricted"] is True
    assert await refused(client.users_info(user="UNOBODY")) == "user_not_found"
    assert await refused(client.users_lookupByEmail(email="no@x.example")) == "users_not_found"
    groups = (await client.usergroups_list())["usergroups"]
    oncall = next(one["id"] for one in groups if one["handle"] == "oncall")
    assert alice.id in (await client.usergroups_users_list(usergroup=oncall))["users"]
    assert await refused(client.usergroups_users_list(usergroup="S0")) == "no_such_subteam"
    mine = await client.users_conversations(types="public_channel,private_channel")
    assert [one["name"] for one in mine["channels"]] == ["incidents"]
    assert (await client.team_info())["team"]["name"] == "Practice"
    assert (await client.bots_info())["bot"]["user_id"] == ws.bot_user_id


async def test_a_file_is_uploaded_in_two_steps(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    channel = ws.channel("incidents").id
    done = await client.files_upload_v2(channel=channel, filename="a.txt", content="hello", initial_comment="see")
    file_id = done["files"][0]["id"]
    assert ws.world.files[file_id].content == b"hello"
    assert ws.messages("incidents")[0].files == [file_id]
    assert (await client.files_info(file=file_id))["file"]["size"] == 5
    missing = client.files_completeUploadExternal(files=[{"id": "F0", "title": "x"}])
    assert await refused(missing) == "file_not_found"
    assert await refused(client.files_getUploadURLExternal(filename="a", length=0)) == "missing_argument"


async def test_methods_that_only_read_do_not_take_json(ws: PracticeWorkspace) -> None:
    headers = {"Authorization": f"Bearer {ws.bot_token}"}
    body = {"user": ws.person("alice").id}
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.post(f"{ws.api_url}users.info", json=body) as answer:
            assert (await answer.json())["error"] == "user_not_found"
        async with http.post(
            f"{ws.api_url}chat.postMessage", data="{", headers={"Content-Type": "application/json"}
        ) as r:
            assert (await r.json())["error"] == "invalid_json"


async def test_timestamps_are_unique_while_the_clock_stands_still(
    ws: PracticeWorkspace, client: AsyncWebClient
) -> None:
    channel = ws.channel("incidents").id
    stamps = [(await client.chat_postMessage(channel=channel, text="x"))["ts"] for _ in range(20)]
    assert sorted(set(stamps)) == stamps


async def test_a_channel_has_one_canvas_of_markdown(
    ws: PracticeWorkspace, client: AsyncWebClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.practice.methods.canvases.MOST_BYTES", 8)
    channel = ws.channel("incidents")

    async def create(markdown: str) -> str | None:
        content = {"type": "markdown", "markdown": markdown}
        return await refused(client.conversations_canvases_create(channel_id=channel.id, document_content=content))

    assert await create("x" * 9) == "canvas_creation_failed" and channel.canvas is None
    made = await client.conversations_canvases_create(
        channel_id=channel.id, document_content={"type": "markdown", "markdown": "# Review"}
    )
    assert made["canvas_id"].startswith("F") and channel.canvas == "# Review"
    assert await create("another") == "channel_canvas_already_exists" and channel.canvas == "# Review"
