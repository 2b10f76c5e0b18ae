"""Surfaces converge on what the store says: posted once, updated in place, whatever fails between."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.incident.outward import IntentKind, IntentState, SurfaceKind
from bot.incident.timeline import Happened
from bot.incident.words import Status
from bot.practice import posting
from bot.practice.server import PracticeWorkspace
from bot.practice.state import Channel, Message
from bot.settings import Channels, Organisation
from bot.slack.client import Slack, slack_client, slack_session
from bot.slack.delivery.channels import Channels as Announcing
from bot.slack.delivery.surfaces import UNREACHABLE
from bot.slack.failures import Failure
from bot.slack.pace import Pace
from bot.store.resync import resync
from tests.slack.delivery.conftest import ORG, Work, texts

CARD = "INC-1: Canary token"


def cards(work: Work, number: int) -> list[Message]:
    return [message for message in work.posted(number) if CARD in message.plain()]


async def test_a_change_updates_the_card_in_place(work: Work, ws: PracticeWorkspace) -> None:
    number, _ = await work.opened()
    [before] = cards(work, number)
    await work.change(number, status=Status.ACKNOWLEDGED)
    await work.settled()
    [after] = cards(work, number)
    assert after.ts == before.ts and "acknowledged" in after.plain()
    assert "acknowledged" in work.room(number).topic
    assert "acknowledged" in texts(ws.messages("incidents"))


async def test_nothing_is_sent_where_a_surface_shows_the_same_already(work: Work, ws: PracticeWorkspace) -> None:
    number, _ = await work.opened()
    before = len(ws.record.calls())
    await work.change(number)
    await work.settled()
    later = [call.method for call in ws.record.calls()[before:]]
    assert later in ([], ["chat.update"]), "only the card's minute may have passed"


async def test_many_changes_become_few_updates(work: Work, ws: PracticeWorkspace) -> None:
    number, room = await work.opened()
    before = len(ws.record.calls("chat.update"))
    for count in range(20):
        await work.change(number, alert_count=100 + count)
    await work.settled()
    [card] = cards(work, number)
    assert "119" in card.plain()
    updates = [call for call in ws.record.calls("chat.update")[before:] if call.args["ts"] == card.ts]
    assert len(updates) <= 3 and room


@pytest.mark.parametrize(
    "fault",
    [
        {"when": "after", "kind": "reset"},
        {"when": "after", "kind": "status", "status": 500},
        {"when": "after", "kind": "error", "error": "fatal_error"},
        {"when": "before", "kind": "reset"},
        {"when": "before", "kind": "status", "status": 503},
        {"when": "before", "kind": "ratelimited", "retry_after": 1},
    ],
    ids=lambda fault: f"{fault['kind']} {fault['when']}",
)
async def test_a_card_is_posted_once_whatever_becomes_of_the_answer(
    work: Work, ws: PracticeWorkspace, fault: dict[str, Any]
) -> None:
    ws.faults.add(method="chat.postMessage", times=3, where=lambda args: args.text("channel") != "", **fault)
    number, _ = await work.opened()
    assert len(cards(work, number)) == 1
    assert len(work.posted(number)) == 3
    assert len(ws.messages("incidents")) == 1
    assert (await work.surface(number, SurfaceKind.CARD)).ts == cards(work, number)[0].ts


async def test_a_card_posted_by_a_killed_process_is_adopted(idle: Work, ws: PracticeWorkspace) -> None:
    number = await idle.declare()
    async with idle.store.unit() as unit:
        about = await unit.incident(number)
        room = Channel("C0ROOM", "inc-0001-x", ws.bot_user_id, int(ws.world.now()), is_private=True)
        ws.world.channels[room.id] = room
        posting.add_member(ws.world, room, ws.bot_user_id)
        about.channel_id, about.channel_name = room.id, room.name
        await unit.open_surfaces(about)
    killed = await idle.carried_out_and_killed(IntentKind.SHOW)
    [first] = idle.posted(number)
    assert killed.args["surface"] == "card"
    idle.start()
    await idle.settled()
    assert [message.ts for message in cards(idle, number)] == [first.ts]
    assert (await idle.surface(number, SurfaceKind.CARD)).ts == first.ts


async def test_a_deleted_card_is_posted_again_and_pinned_again(work: Work, ws: PracticeWorkspace) -> None:
    number, room = await work.opened()
    [first] = cards(work, number)
    posting.delete(ws.world, first)
    await work.change(number, status=Status.ACKNOWLEDGED)
    await work.settled()
    [second] = cards(work, number)
    assert second.ts != first.ts and second.ts in room.pins


async def test_a_deleted_card_is_posted_again_only_once_though_the_answer_is_lost(
    work: Work, ws: PracticeWorkspace
) -> None:
    number, _ = await work.opened()
    posting.delete(ws.world, cards(work, number)[0])
    ws.faults.add(method="chat.postMessage", when="after", kind="reset")
    await work.change(number, status=Status.ACKNOWLEDGED)
    await work.settled()
    assert len(cards(work, number)) == 1


async def test_a_resync_while_an_update_is_in_hand_is_not_lost(work: Work, ws: PracticeWorkspace) -> None:
    number, _ = await work.opened()
    [first] = cards(work, number)
    slow = ws.faults.add(method="chat.update", when="after", kind="delay", seconds=0.7, times=10)
    await work.change(number, status=Status.ACKNOWLEDGED)
    await work.until(lambda: slow.hits > 0 and "acknowledged" in first.plain())
    posting.delete(ws.world, first)
    async with work.store.unit() as unit:
        await resync(unit, number)
    await work.settled()
    [second] = cards(work, number)
    assert second.ts != first.ts


async def test_a_resync_while_the_first_post_is_in_hand_is_not_lost(work: Work, ws: PracticeWorkspace) -> None:
    slow = ws.faults.add(method="chat.postMessage", when="after", kind="delay", seconds=0.7, times=10)
    number = await work.declare()
    await work.until(lambda: slow.hits > 0 and cards(work, number))
    [first] = cards(work, number)
    posting.delete(ws.world, first)
    for _ in range(2):  # an impatient person asks twice
        async with work.store.unit() as unit:
            await resync(unit, number)
    await work.settled()
    [second] = cards(work, number)
    assert second.ts != first.ts


async def test_a_rate_limit_is_waited_for_exactly(work: Work, ws: PracticeWorkspace) -> None:
    ws.faults.add(method="conversations.create", kind="ratelimited", retry_after=2)
    await work.opened()
    first, second = ws.record.calls("conversations.create")
    assert 2.0 <= second.started - first.started < 3.0


async def test_an_archived_room_is_said_once_and_comes_back_when_it_is_unarchived(
    work: Work, ws: PracticeWorkspace
) -> None:
    number, room = await work.opened()
    posting.archive(ws.world, room, ws.person("alice").id)
    for count in range(3):
        await work.change(number, alert_count=50 + count)
        await work.settled()
    told = [
        entry.data["why"] for entry in await work.timeline(number, Happened.GAVE_UP) if entry.data["intent"] == "show"
    ]
    assert 1 <= len(told) <= 4, "once for each surface that changed"
    assert all("archived" in why for why in told)
    assert (await work.surface(number, SurfaceKind.CARD)).digest == UNREACHABLE
    posting.archive(ws.world, room, ws.person("alice").id, undo=True)
    await work.change(number, alert_count=99)
    await work.settled()
    assert "99" in cards(work, number)[0].plain()


@pytest.mark.parametrize("method", ["pins.add", "conversations.setTopic", "conversations.invite"])
async def test_a_side_call_that_fails_for_good_is_said_and_aborts_nothing(
    work: Work, ws: PracticeWorkspace, method: str
) -> None:
    ws.faults.add(method=method, kind="error", error="restricted_action", times=None)
    number, _ = await work.opened()
    shown = texts(work.posted(number))
    assert CARD in shown and "Containment of INC-1" in shown and "Detection and triage" in shown
    assert "an admin of this workspace does not allow it" in shown


@pytest.mark.parametrize(
    "method", ["pins.add", "conversations.setTopic", "conversations.invite", "users.lookupByEmail"]
)
async def test_a_side_call_that_fails_at_first_is_tried_again(work: Work, ws: PracticeWorkspace, method: str) -> None:
    ws.faults.add(method=method, kind="status", status=503, times=1)
    number, room = await work.opened()
    assert room.topic and room.pins and ws.person("bob").id in room.members
    assert not await work.timeline(number, Happened.GAVE_UP)


# The announcement


async def test_nothing_is_announced_where_there_is_no_such_channel(work: Work, ws: PracticeWorkspace) -> None:
    ws.channel("incidents").name = "something-else"
    number, _ = await work.opened()
    assert not ws.messages("something-else")
    assert not await work.timeline(number, Happened.GAVE_UP)


async def test_the_bot_joins_the_stakeholders_channel_where_it_may(work: Work, ws: PracticeWorkspace) -> None:
    channel = ws.channel("incidents")
    if ws.bot_user_id in channel.members:
        posting.remove_member(ws.world, channel, ws.bot_user_id)
    await work.opened()
    assert len(ws.messages("incidents")) == 1 and ws.bot_user_id in channel.members


async def test_the_channel_is_looked_up_once_for_many_announcements(work: Work, ws: PracticeWorkspace) -> None:
    for _ in range(3):
        await work.opened()
    assert len(ws.messages("incidents")) == 3
    assert len(ws.record.calls("conversations.list")) == 1


async def test_announcements_that_wait_for_a_slack_that_is_away_share_a_look_up_and_leave_no_doubt(
    ws: PracticeWorkspace,
) -> None:
    now = [0.0]
    async with slack_session() as session:
        client = slack_client(ws.bot_token, ws.api_url, session)
        channels = Announcing(Slack(client, Pace()), "incidents", private_too=True, now=lambda: now[0])
        ws.web.down = True
        for answer in await asyncio.gather(*(channels.announcements() for _ in range(20))):
            assert isinstance(answer, Failure) and not answer.uncertain
        assert len(ws.record.calls("conversations.list")) == 1
        ws.web.down = False
        now[0] += 1.0
        assert await channels.announcements() == ws.channel("incidents").id


class TestById:
    @pytest.fixture
    def org(self, ws: PracticeWorkspace) -> Organisation:
        channel = Channels(announcements=ws.channel("general").id)
        return ORG.model_copy(update={"channels": channel})

    async def test_the_channel_may_be_named_by_its_id(self, work: Work, ws: PracticeWorkspace) -> None:
        await work.opened()
        assert "INC-1" in texts(ws.messages("general"))
        assert not ws.record.calls("conversations.list")


async def test_an_announcement_holds_nothing_of_the_alert(work: Work, ws: PracticeWorkspace) -> None:
    await work.opened(title="SECRET", summary="SECRET", subject_id="SECRET", app="SECRET")
    [told] = ws.messages("incidents")
    assert "SECRET" not in str(told.blocks) and "SECRET" not in told.text


async def test_slack_away_for_a_while_loses_nothing(work: Work, ws: PracticeWorkspace) -> None:
    number, _ = await work.opened()
    away = ws.faults.add(method="*", kind="status", status=503, times=None)
    await work.change(number, status=Status.ACKNOWLEDGED)
    await work.intend(number, IntentKind.POST, "post:x", message="update_due")
    await work.until(lambda: away.hits >= 3)
    ws.faults.clear()
    await work.settled()
    assert "acknowledged" in cards(work, number)[0].plain()
    assert texts(work.posted(number)).count("an update for stakeholders") == 1
    assert all(row.state is IntentState.DONE for row in await work.intents(number))
