"""A room opens: private, its own, found again after a crash, and never another incident's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import col, update

from bot.incident.outward import Intent, IntentKind, IntentState, SurfaceKind
from bot.incident.timeline import Happened
from bot.incident.words import Severity
from bot.practice import display, posting
from bot.practice.server import PracticeWorkspace
from bot.practice.state import Channel
from bot.settings import Organisation
from tests.slack.delivery.conftest import ORG, Work, texts

NAME = "inc-0001-sev1-credential-leak-confirmed"


def made_before(ws: PracticeWorkspace, creator: str, *, seconds: int = 0) -> Channel:
    """A private channel of the name that the first incident's room would have."""
    channel = Channel("C0BEFORE", NAME, creator, int(ws.world.now()) - seconds, is_private=True)
    ws.world.channels[channel.id] = channel
    return channel


async def test_a_room_opens_with_everything_in_it(work: Work, ws: PracticeWorkspace) -> None:
    number, room = await work.opened()
    assert room.name == NAME and room.is_private
    assert room.topic == "INC-1 · SEV-1 Critical · open · Credential leak confirmed · commander: nobody yet"
    card, panel, checklist = sorted(work.posted(number), key=lambda one: one.plain().find("Containment of"))[0:3]
    shown = texts([card, panel, checklist])
    assert "INC-1: Canary token" in shown and "Containment of INC-1" in shown and "Detection and triage" in shown
    pinned = [message for message in work.posted(number) if message.ts in room.pins]
    assert len(pinned) == 1 and "INC-1: Canary token" in pinned[0].plain()
    about = await work.incident(number)
    assert (about.channel_id, about.channel_name) == (room.id, room.name)
    assert len(await work.timeline(number, Happened.ROOM_OPENED)) == 1
    announced = ws.messages("incidents")
    assert len(announced) == 1 and [button.text for button in announced[0].buttons()] == ["Join"]
    assert {ws.person("bob").id, ws.bot_user_id} <= set(room.members)


async def test_one_call_stands_between_an_incident_and_its_card(work: Work, ws: PracticeWorkspace) -> None:
    ws.faults.add(method="*", kind="delay", seconds=0.4, times=None)
    _, room = await work.opened()
    posts = [call for call in ws.record.calls("chat.postMessage") if call.args.get("channel") == room.id]
    assert len(posts) == 3
    for post in posts:
        awaited = {call.method for call in ws.record.calls() if call.started + call.seconds <= post.started}
        assert awaited - {"conversations.list"} == {"conversations.create"}, "the list is the announcement's, beside it"


@pytest.mark.parametrize("severity", list(Severity))
async def test_those_whom_the_severity_names_are_invited(work: Work, severity: Severity) -> None:
    number, _ = await work.opened(severity=severity)
    invites = [row.args for row in await work.intents(number) if row.kind is IntentKind.INVITE]
    assert invites == [{"roles": list(work.delivery._desk.playbook.severities[severity].notify)}]


async def test_a_room_whose_answer_was_lost_is_found_and_taken(work: Work, ws: PracticeWorkspace) -> None:
    ws.faults.add(method="conversations.create", when="after", kind="reset")
    number, room = await work.opened()
    assert [one.name for one in ws.channels() if one.name.startswith("inc-")] == [NAME]
    assert len(work.posted(number)) >= 3 and room.name == NAME


async def test_a_room_made_by_a_killed_process_is_taken_over(idle: Work, ws: PracticeWorkspace) -> None:
    number = await idle.declare()
    await idle.carried_out_and_killed(IntentKind.OPEN_ROOM)
    assert (await idle.incident(number)).channel_id is None
    idle.start()
    await idle.settled()
    assert [one.name for one in ws.channels() if one.name.startswith("inc-")] == [NAME]
    assert (await idle.incident(number)).channel_id == idle.room(number).id


async def test_a_lost_room_is_found_also_where_the_severity_changed_meanwhile(
    idle: Work, ws: PracticeWorkspace
) -> None:
    number = await idle.declare()
    await idle.carried_out_and_killed(IntentKind.OPEN_ROOM)
    await idle.change(number, severity=Severity.SEV3)
    idle.start()
    await idle.settled()
    assert [one.name for one in ws.channels() if one.name.startswith("inc-")] == [NAME]


async def test_a_strangers_channel_of_the_same_name_is_left_alone(work: Work, ws: PracticeWorkspace) -> None:
    theirs = made_before(ws, ws.person("erin").id)
    number, room = await work.opened()
    assert room.name == f"{NAME}-2" and room.id != theirs.id
    assert not ws.messages(theirs)
    assert (await work.incident(number)).channel_id == room.id


async def test_an_old_room_of_ours_is_not_taken_for_a_new_incident(work: Work, ws: PracticeWorkspace) -> None:
    """A database that was set up anew counts from one again; the old room has other people and other secrets in it."""
    old = made_before(ws, ws.bot_user_id, seconds=86_400)
    posting.add_member(ws.world, old, ws.bot_user_id)
    number, room = await work.opened()
    assert room.name == f"{NAME}-2"
    assert (await work.incident(number)).channel_id != old.id


async def test_a_room_that_slack_made_public_is_archived_and_not_used(
    work: Work, ws: PracticeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = display.channel

    def public(channel: object, user: str) -> dict[str, object]:
        return {**shown(channel, user), "is_private": False}  # type: ignore[arg-type]

    monkeypatch.setattr(display, "channel", public)
    number = await work.declare()
    await work.settled()
    room = work.room(number)
    assert room.archived and not ws.messages(room)
    assert (await work.incident(number)).channel_id is None
    [entry] = await work.timeline(number, Happened.GAVE_UP)
    assert "archived unused" in entry.data["why"]


async def test_an_admins_refusal_is_final_and_in_words(work: Work, ws: PracticeWorkspace) -> None:
    ws.faults.add(method="conversations.create", kind="error", error="restricted_action")
    number = await work.declare()
    await work.intend(number, IntentKind.POST, "post:x", message="update_due")
    await work.settled()
    [entry] = [one for one in await work.timeline(number, Happened.GAVE_UP) if one.data["intent"] == "open_room"]
    assert "an admin of this workspace does not allow it" in entry.data["why"]
    post = next(row for row in await work.intents(number) if row.key == "post:x")
    assert post.state is IntentState.GIVEN_UP and post.error == "the room could not be opened"


async def test_what_waits_for_the_room_goes_out_as_soon_as_it_is_open(idle: Work, ws: PracticeWorkspace) -> None:
    ws.faults.add(method="conversations.create", kind="delay", seconds=0.5)
    number = await idle.declare()
    await idle.intend(number, IntentKind.POST, "post:x", message="update_due")
    idle.start()
    await idle.settled(within=4)
    assert "an update for stakeholders of INC-1 is due" in texts(idle.posted(number))


class TestPublicRooms:
    @pytest.fixture
    def org(self) -> Organisation:
        return ORG.model_copy(update={"private_rooms": False})

    async def test_rooms_are_public_where_the_organisation_wants_it(self, work: Work) -> None:
        _, room = await work.opened()
        assert not room.is_private


async def test_waiting_for_a_rate_limit_costs_no_attempts(idle: Work) -> None:
    """A rate limit is waited for, however often that takes; only what was tried and failed counts."""
    idle.delivery._desk.slack.pace.limited("conversations.create", 3)
    number = await idle.declare()
    idle.start()
    waiting = None
    while waiting is None or waiting.error is None:
        waiting = next(row for row in await idle.intents(number) if row.kind is IntentKind.OPEN_ROOM)
    assert waiting.error == "waits for Slack's rate limit" and waiting.attempts == 0
    await idle.settled()
    assert (await idle.surface(number, SurfaceKind.CARD)).ts is not None


async def test_the_last_place_of_a_minute_is_left_to_a_more_severe_incident(idle: Work, ws: PracticeWorkspace) -> None:
    mild = await idle.declare(severity=Severity.SEV4)
    severe = await idle.declare(severity=Severity.SEV1)
    async with idle.store.unit() as unit:  # put off a moment longer than the mild one was
        soon = update(Intent).where(col(Intent.incident) == severe).values(due_at=unit.now + timedelta(seconds=0.3))
        await unit.session.exec(soon)
    pace = idle.delivery._desk.slack.pace
    while pace.take("conversations.create") == 0:
        pass
    pace.give_back("conversations.create")
    idle.start()
    await idle.until(lambda: any(room.name.startswith("inc-") for room in ws.channels()))
    assert [room.name[:8] for room in ws.channels() if room.name.startswith("inc-")] == [f"inc-{severe:04d}"]
    await idle.stop()
    opening = next(row for row in await idle.intents(mild) if row.kind is IntentKind.OPEN_ROOM)
    assert (opening.state, opening.attempts) == (IntentState.PENDING, 0), "it waits, and that counts for nothing"
