"""Trigger ids, the stack of modals, submissions and what the app may answer to them."""

from __future__ import annotations

from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.practice.server import PracticeWorkspace
from bot.practice.shapes import BadAck, CannotDo, DidNotRespond

Json = dict[str, Any]


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


def trigger(ws: PracticeWorkspace, view_id: str | None = None) -> str:
    return ws.world.tickets.trigger(ws.person("alice").id, view_id)


async def test_a_trigger_works_once_and_for_three_seconds(
    ws: PracticeWorkspace, client: AsyncWebClient, modal: Json, clock: Any
) -> None:
    first = trigger(ws)
    clock.advance(2.9)
    await client.views_open(trigger_id=first, view=modal)
    assert await refused(client.views_open(trigger_id=first, view=modal)) == "exchanged_trigger_id"
    second = trigger(ws)
    clock.advance(3.1)
    assert await refused(client.views_open(trigger_id=second, view=modal)) == "expired_trigger_id"
    assert await refused(client.views_open(trigger_id="1.2.x", view=modal)) == "invalid_trigger_id"


async def test_a_bad_view_does_not_use_the_trigger_up(
    ws: PracticeWorkspace, client: AsyncWebClient, modal: Json
) -> None:
    one = trigger(ws)
    assert await refused(client.views_open(trigger_id=one, view={**modal, "blocks": [{"type": "x"}]})) == (
        "invalid_arguments"
    )
    assert (await client.views_open(trigger_id=one, view=modal))["ok"]


async def test_three_modals_are_stacked_and_no_fourth(
    ws: PracticeWorkspace, client: AsyncWebClient, modal: Json
) -> None:
    top = (await client.views_open(trigger_id=trigger(ws), view=modal))["view"]["id"]
    for _ in range(2):
        top = (await client.views_push(trigger_id=trigger(ws, top), view=modal))["view"]["id"]
    assert await refused(client.views_push(trigger_id=trigger(ws, top), view=modal)) == "push_limit_reached"
    assert await refused(client.views_push(trigger_id=trigger(ws), view=modal)) == "invalid_trigger_id"
    alice = ws.person("alice")
    assert alice.view is not None and alice.view.id == top and alice.view.previous_id != top
    await alice.close_view()
    assert alice.view.id != top


async def test_an_update_wants_the_newest_hash_and_keeps_what_was_typed(
    ws: PracticeWorkspace, client: AsyncWebClient, modal: Json
) -> None:
    opened = (await client.views_open(trigger_id=trigger(ws), view={**modal, "external_id": "e1"}))["view"]
    alice = ws.person("alice")
    alice.fill({"title": "typed"})
    await client.views_update(external_id="e1", hash=opened["hash"], view={**modal, "external_id": "e1"})
    assert alice.view is not None and alice.view.typed[("title", "v")]["value"] == "typed"
    assert await refused(client.views_update(view_id=opened["id"], hash=opened["hash"], view=modal)) == "hash_conflict"
    again = client.views_open(trigger_id=trigger(ws), view={**modal, "external_id": "e1"})
    assert await refused(again) == "duplicate_external_id"
    await alice.close_view()
    assert await refused(client.views_update(view_id=opened["id"], view=modal)) == "not_found"


async def test_a_home_tab_is_published_and_pressed(
    ws: PracticeWorkspace, app: AsyncApp, client: AsyncWebClient, connect: Any
) -> None:
    seen: list[Json] = []

    @app.action("go")
    async def go(ack: Any, body: Json) -> None:
        seen.append(body)
        await ack()

    await connect(app)
    alice = ws.person("alice")
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    home = {"type": "home", "blocks": [{"type": "actions", "elements": [button]}]}
    await client.views_publish(user_id=alice.id, view=home)
    assert alice.home is not None and [one.text for one in alice.home.buttons()] == ["Go"]
    await alice.press(None, alice.home, "go")
    assert seen[0]["container"] == {"type": "view", "view_id": alice.home.id}
    assert not {"channel", "message", "response_url"} & set(seen[0])


class Answering:
    """An app that opens the modal on a command and answers submissions as told."""

    def __init__(self, app: AsyncApp, modal: Json) -> None:
        self.answer: Json = {}
        self.seen: list[Json] = []

        @app.command("/incident")
        async def command(ack: Any, body: Json, client: AsyncWebClient) -> None:
            await client.views_open(trigger_id=body["trigger_id"], view=modal)
            await ack()

        @app.view("declare")
        async def submitted(ack: Any, body: Json) -> None:
            self.seen.append(body)
            await ack(**self.answer)


@pytest.fixture
async def answering(ws: PracticeWorkspace, app: AsyncApp, modal: Json, connect: Any) -> Answering:
    found = Answering(app, modal)
    await connect(app)
    await ws.person("alice").slash("incidents", "/incident")
    return found


async def test_an_empty_answer_closes_the_modal(ws: PracticeWorkspace, answering: Answering) -> None:
    alice = ws.person("alice")
    result = await alice.submit(None, {"title": "db down", "sev": "2", "who": "bob"})
    assert result.closed and result.view is None and alice.view is None
    view = answering.seen[0]["view"]
    assert view["state"]["values"]["title"]["v"] == {"type": "plain_text_input", "value": "db down"}
    assert view["state"]["values"]["sev"]["v"]["selected_option"]["value"] == "2"
    assert view["state"]["values"]["who"]["v"]["selected_user"] == ws.person("bob").id
    assert answering.seen[0]["response_urls"] == [] and answering.seen[0]["trigger_id"]


async def test_untouched_fields_are_in_the_state_as_null(ws: PracticeWorkspace, answering: Answering) -> None:
    await ws.person("alice").submit(None, {"title": "x"})
    values = answering.seen[0]["view"]["state"]["values"]
    assert values["sev"]["v"] == {"type": "static_select", "selected_option": None}
    assert values["who"]["v"] == {"type": "users_select", "selected_user": None}


async def test_errors_keep_the_modal_open(ws: PracticeWorkspace, answering: Answering) -> None:
    answering.answer = {"response_action": "errors", "errors": {"title": "too vague"}}
    result = await ws.person("alice").submit(None, {"title": "x"})
    assert not result.closed and result.errors == {"title": "too vague"} and result.view is not None


async def test_errors_on_something_that_is_no_input_are_an_error(ws: PracticeWorkspace, answering: Answering) -> None:
    answering.answer = {"response_action": "errors", "errors": {"nothing": "x"}}
    with pytest.raises(BadAck, match="no input block"):
        await ws.person("alice").submit(None, {"title": "x"})


async def test_the_answer_can_update_push_and_clear(ws: PracticeWorkspace, answering: Answering, modal: Json) -> None:
    alice = ws.person("alice")
    other = {**modal, "title": {"type": "plain_text", "text": "Second"}}
    answering.answer = {"response_action": "update", "view": other}
    result = await alice.submit(None, {"title": "x"})
    assert not result.closed and result.view is not None and result.view.title == "Second"
    answering.answer = {"response_action": "push", "view": modal}
    await alice.submit(None, {"title": "x"})
    assert len(ws.world.stack(alice.id)) == 2
    answering.answer = {"response_action": "clear"}
    assert (await alice.submit(None, {"title": "x"})).closed
    assert alice.view is None


async def test_an_answer_with_a_view_that_slack_would_refuse_is_an_error(
    ws: PracticeWorkspace, answering: Answering, modal: Json
) -> None:
    answering.answer = {"response_action": "update", "view": {**modal, "blocks": [{"type": "nonsense"}]}}
    with pytest.raises(BadAck, match="invalid_arguments"):
        await ws.person("alice").submit(None, {"title": "x"})


async def test_without_an_answer_the_modal_stays(ws: PracticeWorkspace, app: AsyncApp, answering: Answering) -> None:
    @app.middleware
    async def drop() -> None: ...

    ws.socket.ack_timeout = 0.05
    alice = ws.person("alice")
    with pytest.raises(DidNotRespond):
        await alice.submit(None, {"title": "x"})
    assert alice.view is not None


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "required"),
        ({"title": ""}, "required"),
        ({"title": "x" * 21}, "longer than"),
        ({"title": "a\nb"}, "single line"),
        ({"title": "x", "sev": "9"}, "not offered"),
        ({"title": "x", "who": "nobody"}, "no user"),
        ({"title": "x", "colour": "red"}, "no field"),
    ],
)
async def test_what_slack_would_not_let_a_person_submit(
    ws: PracticeWorkspace, answering: Answering, values: Json, why: str
) -> None:
    with pytest.raises(CannotDo, match=why):
        await ws.person("alice").submit(None, values)
    assert answering.seen == []


async def test_a_modal_that_is_not_open_cannot_be_submitted(ws: PracticeWorkspace, answering: Answering) -> None:
    alice = ws.person("alice")
    view = alice.view
    assert view is not None
    with pytest.raises(CannotDo):
        await ws.person("bob").submit(view, {"title": "x"})
    await alice.close_view()
    with pytest.raises(CannotDo):
        await alice.submit(view, {"title": "x"})


async def test_closing_is_told_where_the_app_asked_for_it(
    ws: PracticeWorkspace, app: AsyncApp, client: AsyncWebClient, modal: Json, connect: Any
) -> None:
    seen: list[Json] = []

    @app.view_closed("declare")
    async def closed(ack: Any, body: Json) -> None:
        seen.append(body)
        await ack()

    await connect(app)
    await client.views_open(trigger_id=trigger(ws), view={**modal, "notify_on_close": True})
    await ws.person("alice").close_view()
    assert seen[0]["type"] == "view_closed" and seen[0]["is_cleared"] is False
