"""Posts, direct messages, invitations: each happens once, and what cannot happen is named."""

from __future__ import annotations

from typing import Any

import pytest

from bot.incident.outward import IntentKind, IntentState
from bot.incident.timeline import Happened
from bot.incident.words import Status
from bot.practice.server import PracticeWorkspace
from bot.practice.state import UserGroup
from bot.settings import Organisation, RosterEntry
from tests.slack.delivery.conftest import ORG, Work, texts

DUE = "an update for stakeholders of INC-1 is due"


async def state_of(work: Work, key: str) -> tuple[IntentState, str | None]:
    row = next(row for row in await work.intents() if row.key == key)
    return row.state, row.error


@pytest.mark.parametrize(
    "fault", [{"kind": "reset"}, {"kind": "status", "status": 500}, {"kind": "delay", "seconds": 9}]
)
async def test_a_post_is_made_once_though_its_answer_is_lost(
    work: Work, ws: PracticeWorkspace, fault: dict[str, Any]
) -> None:
    number, _ = await work.opened()
    ws.faults.add(method="chat.postMessage", when="after", **fault)
    await work.intend(number, IntentKind.POST, "post:x", message="update_due")
    await work.settled()
    assert texts(work.posted(number)).count(DUE) == 1


async def test_a_post_made_by_a_killed_process_is_not_made_again(idle: Work, ws: PracticeWorkspace) -> None:
    number = await idle.declare()
    idle.start()
    await idle.settled()
    await idle.stop()
    await idle.intend(number, IntentKind.POST, "post:x", message="update_due")
    await idle.carried_out_and_killed(IntentKind.POST)
    second = type(idle)(ws, idle.store, idle.delivery)
    second.start()
    await second.settled()
    await second.stop()
    assert texts(idle.posted(number)).count(DUE) == 1


async def test_a_pointless_post_is_not_made(work: Work, ws: PracticeWorkspace) -> None:
    number, _ = await work.opened()
    await work.change(number, status=Status.ACKNOWLEDGED, acknowledged_at=work.store.now())
    await work.intend(
        number, IntentKind.POST, "post:x", message="acknowledge_overdue", people=[], usergroups=[], level=0
    )
    await work.settled()
    assert "Nobody has acknowledged" not in texts(work.posted(number))
    assert await state_of(work, "post:x") == (IntentState.DONE, None)


async def test_a_message_of_another_version_is_given_up_with_a_reason(work: Work) -> None:
    number, _ = await work.opened()
    await work.intend(number, IntentKind.POST, "post:x", message="no_such_message")
    await work.settled()
    state, why = await state_of(work, "post:x")
    assert state is IntentState.GIVEN_UP and "no_such_message" in (why or "")


async def test_whoever_is_called_is_mentioned_by_id(work: Work, ws: PracticeWorkspace) -> None:
    ws.world.groups["S0ONCALL1"] = UserGroup("S0ONCALL1", "night-shift", "Night shift", [ws.person("dave").id])
    number, _ = await work.opened()
    called = {"people": ["bob@practice.example", "nobody@practice.example"], "usergroups": ["@night-shift"], "level": 0}
    await work.intend(number, IntentKind.POST, "post:x", message="acknowledge_overdue", **called)
    await work.settled()
    message = next(one for one in work.posted(number) if "Nobody has acknowledged" in one.plain())
    assert message.text.startswith(f"<@{ws.person('bob').id}> nobody@practice.example <!subteam^S0ONCALL1> ")


async def test_a_person_is_written_to_directly(work: Work, ws: PracticeWorkspace) -> None:
    number = await work.declare()
    called = {"people": ["bob@practice.example"], "usergroups": [], "level": 0}
    for person in ("bob@practice.example", ws.person("carol").id):
        await work.intend(
            number, IntentKind.DIRECT, f"direct:{person}", person=person, message="acknowledge_overdue", **called
        )
    await work.settled()
    for name in ("bob", "carol"):
        [message] = ws.messages(ws.direct(name))
        assert "Nobody has acknowledged INC-1" in message.plain()
        assert [button.text for button in message.buttons()] == ["Acknowledge"]


async def test_a_direct_message_is_sent_once_though_its_answer_is_lost(work: Work, ws: PracticeWorkspace) -> None:
    number, _ = await work.opened()
    ws.faults.add(method="chat.postMessage", when="after", kind="reset")
    await work.intend(number, IntentKind.DIRECT, "direct:x", person=ws.person("bob").id, message="update_due")
    await work.settled()
    assert len(ws.messages(ws.direct("bob"))) == 1


@pytest.mark.parametrize("person", ["ghost@practice.example", "U0GHOST00", "just a name"])
async def test_who_cannot_be_written_to_is_said_in_the_room(work: Work, ws: PracticeWorkspace, person: str) -> None:
    number, _ = await work.opened()
    await work.intend(number, IntentKind.DIRECT, "direct:x", person=person, message="update_due")
    await work.settled()
    assert (await state_of(work, "direct:x"))[0] is IntentState.GIVEN_UP
    assert "Somebody could not be written to directly" in texts(work.posted(number))


# Invitations


async def test_people_come_and_who_cannot_is_named_once_with_the_reason(work: Work, ws: PracticeWorkspace) -> None:
    number, room = await work.opened()
    names = [ws.person("carol").id, "dave@practice.example", "ghost@practice.example", "U0GHOST00", ws.bot_user_id]
    await work.intend(number, IntentKind.INVITE, "invite:x", people=names)
    await work.settled()
    assert {ws.person("carol").id, ws.person("dave").id} <= set(room.members)
    said = [one.plain() for one in work.posted(number) if "Not everybody could be invited" in one.plain()]
    told = next(one for one in said if "ghost" in one)
    assert "nobody in this workspace has that e-mail address" in told and "no such person" in told
    assert "Firsthour itself" not in told


async def test_who_is_there_already_is_no_failure(work: Work, ws: PracticeWorkspace) -> None:
    number, _ = await work.opened()
    for time in range(2):
        await work.intend(
            number, IntentKind.INVITE, f"invite:{time}", people=[ws.person("bob").id, ws.person("carol").id]
        )
        await work.settled()
    assert not await work.timeline(number, Happened.GAVE_UP)
    assert not [one for one in work.posted(number) if ws.person("carol").id in one.plain()]


async def test_more_than_a_hundred_people_are_invited_in_batches(work: Work, ws: PracticeWorkspace) -> None:
    number, room = await work.opened()
    many = [ws.add_person(f"p{count}").id for count in range(230)]
    before = len(ws.record.calls("conversations.invite"))
    await work.intend(number, IntentKind.INVITE, "invite:x", people=many)
    await work.settled()
    assert set(many) <= set(room.members)
    assert len(ws.record.calls("conversations.invite")) - before == 3


async def test_where_slack_names_nobody_each_is_asked_for_alone(work: Work, ws: PracticeWorkspace) -> None:
    number, room = await work.opened()
    ws.faults.add(
        method="conversations.invite", kind="error", error="user_is_restricted", times=None,
        where=lambda args: ws.person("gina").id in (args.text("users") or ""),
    )  # fmt: skip
    people = [ws.person(name).id for name in ("carol", "gina", "dave")]
    await work.intend(number, IntentKind.INVITE, "invite:x", people=people)
    await work.settled()
    assert {people[0], people[2]} <= set(room.members) and people[1] not in room.members
    assert "guests cannot be added to this channel" in texts(work.posted(number))


class TestRoster:
    @pytest.fixture
    def org(self) -> Organisation:
        roster = {"on_call": RosterEntry(people=("bob@practice.example",), usergroups=("@night-shift", "@gone"))}
        return ORG.model_copy(update={"roster": roster})

    async def test_a_usergroup_brings_its_members_and_a_missing_one_is_named(
        self, work: Work, ws: PracticeWorkspace
    ) -> None:
        ws.world.groups["S0NIGHT01"] = UserGroup("S0NIGHT01", "night-shift", "Night", [ws.person("dave").id])
        number, room = await work.opened()
        assert {ws.person("bob").id, ws.person("dave").id} <= set(room.members)
        assert "@gone: there is no such user group" in texts(work.posted(number))


class TestNobody:
    @pytest.fixture
    def org(self) -> Organisation:
        return Organisation()

    async def test_without_a_roster_nobody_is_asked_for(self, work: Work, ws: PracticeWorkspace) -> None:
        number, _ = await work.opened()
        assert not ws.record.calls("usergroups.*") and not ws.record.calls("conversations.invite")
        assert not await work.timeline(number, Happened.GAVE_UP)


async def test_no_link_is_ever_unfolded(work: Work, ws: PracticeWorkspace) -> None:
    number, _ = await work.opened(title="http://evil.example", summary="http://evil.example <!channel>")
    await work.intend(number, IntentKind.POST, "post:x", message="update_due")
    await work.settled()
    for call in ws.record.calls("chat.postMessage"):
        assert call.args["unfurl_links"] is False and call.args["unfurl_media"] is False
