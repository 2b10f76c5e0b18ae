from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from typing import Any

import pytest
from sqlalchemy import delete
from sqlmodel import col, select

from bot.cases import acknowledge, finish, roles, severity, steps, update
from bot.cases.context import Context
from bot.cases.remind import sweep
from bot.incident.evidence import Evidence
from bot.incident.outward import IntentKind, Reminder, ReminderKind, ReminderState
from bot.incident.timeline import Happened
from bot.incident.words import ActionState, EvidenceKind, Phase, Role, Severity
from bot.incident.work import Action, Step
from bot.store import Store, queries
from tests import opened as case
from tests.conftest import START, Clock

K = ReminderKind
Message = dict[str, Any]


async def at(ctx: Context, clock: Clock, minute: float) -> None:
    clock.now = START
    clock.advance(minutes=minute)
    await sweep(ctx)


async def walk(ctx: Context, clock: Clock, to: int, *, start: int = 1) -> None:
    """Sweep once a minute, as a process that is up all the time would."""
    for minute in range(start, to + 1):
        await at(ctx, clock, minute)


def named(messages: list[Message], name: str) -> list[Message]:
    return [one for one in messages if one["message"] == name]


async def take(ctx: Context, number: int) -> None:
    await acknowledge.acknowledge(ctx, case.ALICE, number)
    await roles.assign(ctx, case.ALICE, number, role=Role.COMMANDER, person="U0ALICE")


async def add_evidence(store: Store, number: int) -> None:
    async with store.unit() as unit:
        unit.add(
            Evidence(
                incident=number, kind=EvidenceKind.LOGS, name="gateway", sha256="0" * 64, size=1, excerpt="x", source="test",
                added_by="U0ALICE", added_at=unit.now,
            )
        )  # fmt: skip


async def told(store: Store, number: int, *kinds: Happened) -> list[Any]:
    async with store.read() as session:
        return [entry for entry in await queries.timeline(session, number) if entry.kind in kinds]


# Windows


async def test_each_window_is_told_once_when_it_starts(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await take(ctx, number)
    await walk(ctx, clock, 60)
    started = named(await case.posts(store, number), "window_started")
    assert [one["window"] for one in started] == ["command", "evidence", "contain", "scope", "brief"]


async def test_nothing_is_told_before_its_time(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await at(ctx, clock, 2.99)
    assert await case.posts(store, number) == []


async def test_the_last_window_begins_the_investigation(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await walk(ctx, clock, 44)
    begun = [entry.data["phase"] for entry in await told(store, number, Happened.PHASE_BEGAN)]
    assert Phase.INVESTIGATION not in begun
    await at(ctx, clock, 45)
    begun = [entry.data["phase"] for entry in await told(store, number, Happened.PHASE_BEGAN)]
    assert begun[-1] == Phase.INVESTIGATION


async def test_a_nudge_names_only_what_is_missing(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await acknowledge.acknowledge(ctx, case.ALICE, number)
    await at(ctx, clock, 3)
    [nudge] = named(await case.posts(store, number), "window_nudge")
    assert nudge["window"] == "confirm"
    assert [need["id"] for need in nudge["missing"]] == ["triage.confirm"]


async def test_a_nudge_is_silent_when_everything_is_done(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await acknowledge.acknowledge(ctx, case.ALICE, number)
    await steps.done(ctx, case.ALICE, number, step_id="triage.confirm")
    await at(ctx, clock, 3)
    assert await case.posts(store, number) == []
    assert await told(store, number, Happened.REMINDED) == []


async def test_a_step_that_was_skipped_with_a_reason_is_not_missing(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await acknowledge.acknowledge(ctx, case.ALICE, number)
    await steps.skip(ctx, case.ALICE, number, step_id="triage.confirm", reason="the canary is proof")
    await at(ctx, clock, 3)
    assert await case.posts(store, number) == []


async def test_a_nudge_names_the_owner_of_the_step_then_the_holder_of_the_role_then_the_commander(
    store: Store, clock: Clock
) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await take(ctx, number)
    await roles.assign(ctx, case.ALICE, number, role=Role.TECHNICAL_LEAD, person="U0TECH")
    await steps.assign(ctx, case.ALICE, number, step_id="evidence.logs", owner="U0LOGS")
    await walk(ctx, clock, 13)
    evidence = named(await case.posts(store, number), "window_nudge")[-1]
    owners = {need["id"]: need["owner"] for need in evidence["missing"]}
    assert owners == {"evidence": "U0TECH", "evidence.logs": "U0LOGS", "evidence.model_state": "U0TECH"}
    await walk(ctx, clock, 55, start=14)
    brief = named(await case.posts(store, number), "window_nudge")[-1]
    assert {need["id"]: need["owner"] for need in brief["missing"]}["briefed"] == "U0ALICE"


async def test_evidence_that_is_there_is_not_asked_for(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await take(ctx, number)
    await add_evidence(store, number)
    await walk(ctx, clock, 13)
    evidence = named(await case.posts(store, number), "window_nudge")[-1]
    assert "evidence" not in {need["id"] for need in evidence["missing"]}


async def test_a_step_of_a_window_that_the_checklist_does_not_have_is_not_missing(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await acknowledge.acknowledge(ctx, case.ALICE, number)
    async with store.unit() as unit:
        await unit.session.exec(delete(Step).where(col(Step.step_id) == "triage.confirm"))
    await at(ctx, clock, 3)
    assert await case.posts(store, number) == []


# Calling whoever is next


async def calls(store: Store, number: int) -> list[list[str]]:
    overdue = named(await case.posts(store, number), "acknowledge_overdue")
    return [one["people"] + one["usergroups"] for one in overdue]


async def test_while_nobody_acknowledges_the_next_in_line_is_called_then_the_next(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    line = [["U0ONCALL"], ["U0ENG"], ["U0SEC", "@security-leads"], ["U0CISO"]]
    await walk(ctx, clock, 60)
    assert await calls(store, number) == line
    await walk(ctx, clock, 300, start=61)
    assert await calls(store, number) == line * 3, "three rounds, then it is quiet"
    invited = [row.args for row in await case.intents(store, number, IntentKind.INVITE)]
    assert {"roles": ["on_call"]} in invited
    direct = [row.args for row in await case.intents(store, number, IntentKind.DIRECT)]
    assert direct[0]["person"] == "U0ONCALL"
    assert direct[0]["message"] == "acknowledge_overdue"
    escalated = await told(store, number, Happened.ESCALATED)
    assert [entry.data["role"] for entry in escalated[:4]] == [
        "on_call", "engineering_lead", "security_team_lead", "ciso"
    ]  # fmt: skip
    assert len(escalated) == 12


async def test_an_acknowledgement_ends_the_calling(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await walk(ctx, clock, 15)
    await acknowledge.acknowledge(ctx, case.ALICE, number)
    await walk(ctx, clock, 200, start=16)
    assert len(await calls(store, number)) == 1


async def test_the_backups_are_called_after_the_roles_of_the_severity(store: Store, clock: Clock) -> None:
    roster = {"ai_team": {"people": ["U0AI"]}, "engineering_lead": {"people": ["U0ENG", "U0AI"]}}
    ctx = case.context(store, roster=roster)
    number = await case.opened(ctx, Severity.SEV4)  # ai_team and security_team; the lead is ai_team's backup
    clock.now = (await case.reminders(store, number, K.ACKNOWLEDGE))[0].due_at
    await sweep(ctx)
    clock.now = (await case.reminders(store, number, K.ACKNOWLEDGE))[0].due_at
    await sweep(ctx)
    assert await calls(store, number) == [["U0AI"], ["U0ENG"]], "nobody is called twice in a round"


async def test_without_a_roster_the_room_itself_is_told(store: Store, clock: Clock) -> None:
    ctx = case.context(store, roster={})
    number = await case.opened(ctx)
    await walk(ctx, clock, 120)
    assert await calls(store, number) == [[], [], []]
    assert await case.intents(store, number, IntentKind.DIRECT) == []


async def test_at_a_low_severity_the_next_call_waits_for_the_next_business_day(store: Store, clock: Clock) -> None:
    ctx = case.context(store, roster={"ai_team": {"people": ["U0AI"]}, "security_team": {"people": ["U0S"]}})
    number = await case.opened(ctx, Severity.SEV4)
    first = (await case.reminders(store, number, K.ACKNOWLEDGE))[0].due_at
    clock.now = first
    await sweep(ctx)
    second = (await case.reminders(store, number, K.ACKNOWLEDGE))[0].due_at
    assert (first.day, second.day) == (3, 4)
    assert first.hour == second.hour == 9


# Updates


async def test_an_update_is_asked_for_at_the_severitys_cadence(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await take(ctx, number)
    await walk(ctx, clock, 95)
    assert len(named(await case.posts(store, number), "update_due")) == 3


async def test_an_update_that_went_out_moves_the_next_request(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await take(ctx, number)
    await walk(ctx, clock, 20)
    await update.update(ctx, case.ALICE, number, text="We are on it.")
    await walk(ctx, clock, 49, start=21)
    assert named(await case.posts(store, number), "update_due") == []
    await at(ctx, clock, 50)
    assert len(named(await case.posts(store, number), "update_due")) == 1


# The end, expiry, deletion


async def test_an_incident_that_ended_reminds_nobody(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await take(ctx, number)
    await finish.false_positive(ctx, case.ALICE, number, reason="a test key")
    await walk(ctx, clock, 90)
    assert await case.posts(store, number) == []


async def test_a_reminder_that_was_left_over_at_the_end_is_not_told(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    async with store.unit() as unit:
        (await unit.incident(number)).ended_at = unit.now
    await walk(ctx, clock, 60)
    assert await case.posts(store, number) == []
    assert await case.reminders(store, number) == []


async def test_a_proposal_that_nobody_decided_expires(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    [first, *_] = await case.reminders(store, number, K.ACTION_EXPIRY)
    clock.now = first.due_at
    await sweep(ctx)
    async with store.read() as session:
        wanted = select(Action).where(Action.incident == number, Action.index == first.args["action"])
        assert (await session.exec(wanted)).one().state is ActionState.EXPIRED


async def test_an_expiry_of_an_action_that_was_deleted_by_hand_stops_nothing_else(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    async with store.unit() as unit:
        await unit.session.exec(delete(Action).where(col(Action.incident) == number))
    await walk(ctx, clock, 60)
    assert named(await case.posts(store, number), "window_started")


async def test_reminders_of_an_incident_that_was_deleted_by_hand_are_stopped(sqlite_store: Store, clock: Clock) -> None:
    ctx = case.context(sqlite_store)
    number = await case.opened(ctx)
    assert sqlite_store.url.database is not None
    with contextlib.closing(sqlite3.connect(sqlite_store.url.database)) as by_hand:  # foreign keys are off there
        by_hand.execute("DELETE FROM incident")
        by_hand.commit()
    clock.advance(minutes=5)
    assert await sweep(ctx) == 0
    assert await case.reminders(sqlite_store, number) == []
    assert await sweep(ctx) == 0


async def test_a_window_that_the_playbook_no_longer_has_is_passed_over(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await take(ctx, number)
    async with store.unit() as unit:
        for row in (await unit.session.exec(select(Reminder).where(Reminder.kind == K.WINDOW_START))).all():
            row.args = {"window": "gone"}
    await walk(ctx, clock, 60)
    assert named(await case.posts(store, number), "window_started") == []


# After a restart, several processes, pace


async def test_what_fell_due_while_the_process_was_down_comes_as_one_message(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await take(ctx, number)
    await at(ctx, clock, 22)
    [only] = await case.posts(store, number)
    assert only["message"] == "catch_up"
    started = [item["window"] for item in only["items"] if item["message"] == "window_started"]
    assert started == ["contain"], "windows that are over no longer count"
    nudged = [item["window"] for item in only["items"] if item["message"] == "window_nudge"]
    assert nudged == ["confirm", "command", "evidence"]
    await at(ctx, clock, 22.1)
    assert len(await case.posts(store, number)) == 1


async def test_a_catch_up_leaves_out_what_was_done_meanwhile(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await take(ctx, number)
    await steps.done(ctx, case.ALICE, number, step_id="triage.confirm")
    await severity.change(ctx, case.ALICE, number, severity=Severity.SEV1)
    await at(ctx, clock, 9)
    [only] = await case.posts(store, number)
    assert only == {"message": "window_started", "window": "command"}, "one thing that counts is told as usual"


async def test_after_a_restart_the_calling_goes_on_where_it_was(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await at(ctx, clock, 40)
    [only] = await case.posts(store, number)
    assert "acknowledge_overdue" in {item["message"] for item in only["items"]}
    [direct] = await case.intents(store, number, IntentKind.DIRECT)
    assert direct.args["person"] == "U0ONCALL"


async def test_two_reminders_that_are_only_seconds_late_are_told_apart(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await walk(ctx, clock, 14)
    before = len(await case.posts(store, number))
    await at(ctx, clock, 15.2)  # the window of containment starts, and nobody has acknowledged
    new = (await case.posts(store, number))[before:]
    assert {one["message"] for one in new} == {"window_started", "acknowledge_overdue"}


async def test_late_is_measured_at_the_speed_of_the_demo(store: Store, clock: Clock) -> None:
    ctx = case.context(store, speed=60)
    number = await case.opened(ctx)
    await take(ctx, number)
    await at(ctx, clock, 22 / 60)
    [only] = await case.posts(store, number)
    assert only["message"] == "catch_up"


async def test_two_sweepers_at_once_tell_everything_once(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    other = Store(store.url.render_as_string(hide_password=False), now=clock)
    numbers = [await case.opened(ctx, user=f"user-{i}", app=f"app-{i}") for i in range(8)]
    clock.advance(minutes=3)
    try:
        both = (ctx, case.context(other))
        fired = await asyncio.gather(*(sweep(one) for one in both * 3))
    finally:
        await other.close()
    fired.append(await sweep(ctx))  # what was locked by the other at the moment of the look
    assert sum(fired) == len(numbers)
    for number in numbers:
        assert len(await case.posts(store, number)) == 1


async def test_many_incidents_are_swept_in_batches(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    numbers = [await case.opened(ctx, user=f"user-{i}", app=f"app-{i}") for i in range(7)]
    clock.advance(minutes=3)
    assert await sweep(ctx, limit=3) == len(numbers)


async def test_how_late_each_reminder_was_is_handed_on(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    await case.opened(ctx)
    clock.advance(minutes=3, seconds=2)
    heard: list[float] = []
    await sweep(ctx, late=heard.append)
    assert heard == [pytest.approx(2)]


async def test_a_sweep_that_fails_has_told_nothing_and_lost_nothing(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    clock.advance(minutes=3)
    async with store.unit() as unit:
        [row] = (await unit.session.exec(select(Reminder).where(Reminder.due_at <= unit.now))).all()
        row.args = {}
    with pytest.raises(KeyError):
        await sweep(ctx)
    assert await case.posts(store, number) == []
    assert (await case.reminders(store, number))[0].state is ReminderState.PENDING
