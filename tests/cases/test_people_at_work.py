"""What responders do in a room: acknowledge, lead, judge the severity, note, tick, join, end. And who may not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update as update_rows

from bot.cases import acknowledge, declare, finish, join, note, phases, roles, severity, steps, update
from bot.cases.context import Context
from bot.incident.caller import Caller
from bot.incident.casefile import CaseFile
from bot.incident.errors import FirsthourError, Invalid, NotFound, Refused, Repeated
from bot.incident.incident import person
from bot.incident.outward import OUTLIVES, Intent, IntentKind, IntentState, ReminderKind, SurfaceKind
from bot.incident.words import ActionState, Phase, Role, Severity, Status, StepState
from bot.store import Store, queries
from tests import opened as shared
from tests.conftest import Clock

ALICE, BOB = Caller(person("U0ALICE")), Caller(person("U0BOB"))
GUEST = Caller(person("U0GUEST"), full_member=False)


@pytest.fixture
def ctx(store: Store) -> Context:
    return shared.context(store)


async def case(ctx: Context, number: int = 1) -> CaseFile:
    async with ctx.store.read() as session:
        await queries.verify_timeline(session, number)
        return await queries.case_file(session, number, ctx.store.now())


async def led(ctx: Context) -> int:
    number = await shared.opened(ctx)
    await roles.assign(ctx, ALICE, number, role=Role.COMMANDER, person="U0ALICE")
    return number


async def test_acknowledging_stops_the_escalation_and_begins_containment(ctx: Context) -> None:
    number = await shared.opened(ctx)
    await acknowledge.acknowledge(ctx, ALICE, number)
    file = await case(ctx)
    assert (file.incident.status, file.incident.acknowledged_at) == (Status.ACKNOWLEDGED, ctx.store.now())
    assert not await shared.reminders(ctx.store, number, ReminderKind.ACKNOWLEDGE)
    assert file.surface(SurfaceKind.CHECKLIST, Phase.CONTAINMENT) is not None


async def test_the_second_to_acknowledge_is_told_who_was_first_and_when(ctx: Context) -> None:
    number = await shared.opened(ctx)
    answers = await asyncio.gather(
        acknowledge.acknowledge(ctx, ALICE, number), acknowledge.acknowledge(ctx, BOB, number), return_exceptions=True
    )
    [late] = [answer for answer in answers if isinstance(answer, FirsthourError)]
    assert "<@U0" in str(late)
    assert "09:00 UTC" in str(late)


async def test_the_second_delivery_of_an_act_gets_the_first_ones_answer(ctx: Context) -> None:
    number = await shared.opened(ctx)
    click = Caller(person("U0ALICE"), inbound="click:1")
    first = await acknowledge.acknowledge(ctx, click, number)
    with pytest.raises(Repeated) as again:
        await acknowledge.acknowledge(ctx, click, number)
    assert again.value.answer == first


async def test_a_declaration_twice_is_one_incident(ctx: Context) -> None:
    click = Caller(person("U0ALICE"), inbound="view:V1")
    form = declare.Declaration(severity=Severity.SEV2, title="The prompt leaked")
    await declare.declare(ctx, click, form)
    with pytest.raises(Repeated, match="INC-1"):
        await declare.declare(ctx, click, form)
    async with ctx.store.read() as session:
        assert len(await queries.running(session)) == 1


async def test_a_person_who_declares_is_invited_and_two_declarations_are_two_incidents(ctx: Context) -> None:
    form = declare.Declaration(severity=Severity.SEV2, title="The prompt leaked")
    await declare.declare(ctx, ALICE, form)
    await declare.declare(ctx, BOB, form)
    [invitation] = await shared.intents(ctx.store, 2, IntentKind.INVITE)
    assert invitation.args == {"people": ["U0BOB"]}


async def test_command_is_taken_once_and_passed_on_by_whoever_holds_it(ctx: Context) -> None:
    number = await led(ctx)
    with pytest.raises(Refused, match="<@U0ALICE> took the role"):
        await roles.assign(ctx, BOB, number, role=Role.COMMANDER, person="U0BOB")
    await roles.assign(ctx, ALICE, number, role=Role.COMMANDER, person="U0BOB")
    assert (await case(ctx)).commander == "U0BOB"


async def test_two_people_taking_command_at_once_make_one_commander(ctx: Context) -> None:
    number = await shared.opened(ctx)
    answers = await asyncio.gather(
        *(roles.assign(ctx, who, number, role=Role.COMMANDER, person=who.actor.id) for who in (ALICE, BOB)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, Refused) for answer in answers) == 1
    assert (await case(ctx)).commander in {"U0ALICE", "U0BOB"}


async def test_the_same_severity_confirms_and_another_needs_a_reason(ctx: Context) -> None:
    number = await led(ctx)
    await severity.change(ctx, ALICE, number, severity=Severity.SEV1)
    assert (await case(ctx)).incident.severity_confirmed_at == ctx.store.now()
    with pytest.raises(Refused, match="Say why"):
        await severity.change(ctx, ALICE, number, severity=Severity.SEV2)
    await severity.change(ctx, ALICE, number, severity=Severity.SEV2, reason="one user only")
    assert (await case(ctx)).incident.severity is Severity.SEV2


async def test_a_worse_severity_adds_steps_actions_people_and_an_earlier_deadline(ctx: Context) -> None:
    number = await shared.opened(ctx, Severity.SEV3)
    before = await case(ctx)
    await severity.change(ctx, ALICE, number, severity=Severity.SEV1, reason="it spreads")
    after = await case(ctx)
    assert len(after.actions) > len(before.actions)
    assert {step.step_id for step in before.steps} <= {step.step_id for step in after.steps}
    assert after.incident.acknowledge_by == after.incident.declared_at + timedelta(minutes=15)
    keys = {intent.key for intent in await shared.intents(ctx.store, number, IntentKind.INVITE)}
    assert f"invite:{number}:roster:1" in keys


async def test_an_empty_or_overlong_note_is_refused_and_a_secret_in_a_note_is_redacted(ctx: Context) -> None:
    number = await shared.opened(ctx)
    with pytest.raises(Invalid, match="empty"):
        await note.note(ctx, ALICE, number, text="  ")
    with pytest.raises(Invalid, match="3001 characters"):
        await note.note(ctx, ALICE, number, text="x" * 3001)
    await note.note(ctx, ALICE, number, text="the key AKIA" + "QWERTYUIOPASDFGH was used")
    async with ctx.store.read() as session:
        last = (await queries.timeline(session, number))[-1]
    assert "QWERTYUIOPAS" not in str(last.data)


async def test_an_update_is_for_the_commander_and_the_communications_lead(ctx: Context) -> None:
    number = await led(ctx)
    with pytest.raises(Refused, match="<@U0ALICE>"):
        await update.update(ctx, BOB, number, text="All is well")
    await update.update(ctx, ALICE, number, text="We are on it")
    file = await case(ctx)
    assert [one.text for one in file.updates] == ["We are on it"]
    assert file.incident.briefed_at == ctx.store.now()


async def test_joining_again_before_slack_took_the_invitation_is_one_invitation(ctx: Context) -> None:
    number = await shared.opened(ctx)
    await join.join(ctx, BOB, number)
    assert "already" in await join.join(ctx, BOB, number)
    await join.join(ctx, ALICE, number)
    assert len(await shared.intents(ctx.store, number, IntentKind.INVITE)) == 2, "one for each of them"
    async with ctx.store.unit() as unit:
        await unit.session.exec(update_rows(Intent).values(state=IntentState.DONE))
    assert "already" not in await join.join(ctx, BOB, number), "who left the room may come back"


async def test_whoever_joins_is_invited_and_a_guest_is_not(ctx: Context) -> None:
    number = await shared.opened(ctx)
    await join.join(ctx, BOB, number)
    with pytest.raises(Refused, match="full member"):
        await join.join(ctx, GUEST, number)
    [invitation] = await shared.intents(ctx.store, number, IntentKind.INVITE)
    assert invitation.args == {"people": ["U0BOB"]}


async def test_a_step_is_decided_once_and_the_second_person_is_told_who_did(ctx: Context) -> None:
    number = await shared.opened(ctx)
    step = (await case(ctx)).steps[0].step_id
    answers = await asyncio.gather(
        *(steps.done(ctx, who, number, step_id=step) for who in (ALICE, BOB)), return_exceptions=True
    )
    [late] = [answer for answer in answers if isinstance(answer, Refused)]
    assert "marked that step as done at 09:00 UTC" in str(late)
    await steps.undo(ctx, BOB, number, step_id=step)
    assert (await case(ctx)).steps[0].state is StepState.OPEN
    with pytest.raises(Invalid, match="Say why"):
        await steps.skip(ctx, BOB, number, step_id=step, reason=" ")
    with pytest.raises(NotFound, match="step list"):
        await steps.done(ctx, BOB, number, step_id="no.such")


async def test_the_last_open_step_of_a_phase_begins_the_next_one(ctx: Context) -> None:
    number = await shared.opened(ctx)
    for step in (await case(ctx)).of_phase(Phase.TRIAGE):
        assert (await case(ctx)).surface(SurfaceKind.CHECKLIST, Phase.CONTAINMENT) is None
        await steps.done(ctx, ALICE, number, step_id=step.step_id)
    assert (await case(ctx)).surface(SurfaceKind.CHECKLIST, Phase.CONTAINMENT) is not None


async def test_a_phase_begins_early_once_and_the_review_only_with_the_end(ctx: Context) -> None:
    number = await led(ctx)
    await phases.start(ctx, BOB, number, phase=Phase.REMEDIATION)
    with pytest.raises(Refused, match="begun already"):
        await phases.start(ctx, BOB, number, phase=Phase.REMEDIATION)
    with pytest.raises(Refused, match="cannot begin"):
        await phases.start(ctx, BOB, number, phase=Phase.REVIEW)


async def test_due_times_of_the_review_count_from_its_beginning(ctx: Context, clock: Clock) -> None:
    number = await led(ctx)
    await acknowledge.acknowledge(ctx, ALICE, number)
    later = clock.advance(hours=5)
    assert all(step.due_at is None for step in (await case(ctx)).of_phase(Phase.REVIEW) if step.due_after)
    await shared.resolve(ctx, ALICE, number, reason="the filter is live")
    counted = [step for step in (await case(ctx)).of_phase(Phase.REVIEW) if step.due_after is not None]
    assert counted
    assert all(step.due_at == later + timedelta(seconds=step.due_after or 0) for step in counted)


async def test_resolving_ends_reminders_and_open_proposals_and_says_what_is_still_in_force(ctx: Context) -> None:
    number = await led(ctx)
    with pytest.raises(Refused, match="Acknowledge it first"):
        await shared.resolve(ctx, ALICE, number, reason="done")
    await acknowledge.acknowledge(ctx, ALICE, number)
    with pytest.raises(Refused, match="Only the commander"):
        await shared.resolve(ctx, BOB, number, reason="done")
    with pytest.raises(Invalid, match="Say why"):
        await shared.resolve(ctx, ALICE, number, reason=" ")
    await shared.resolve(ctx, ALICE, number, reason="the filter is live")
    file = await case(ctx)
    assert (file.incident.status, file.incident.resolution) == (Status.RESOLVED, "the filter is live")
    assert {action.state for action in file.actions} == {ActionState.EXPIRED}
    assert {action.expires_at for action in file.actions} == {file.incident.ended_at}, "it did not expire in the future"
    assert not [one for one in await shared.reminders(ctx.store, number) if one.kind not in OUTLIVES]
    await finish.close(ctx, ALICE, number)
    with pytest.raises(Refused, match="already closed"):
        await finish.close(ctx, ALICE, number)


async def test_what_comes_back_is_reopened_unless_another_incident_has_taken_its_place(ctx: Context) -> None:
    number = await led(ctx)
    await finish.false_positive(ctx, ALICE, number, reason="a test")
    second = await shared.opened(ctx)
    with pytest.raises(Refused, match="Another incident about the same"):
        await finish.reopen(ctx, ALICE, number, reason="it was real")
    await roles.assign(ctx, ALICE, second, role=Role.COMMANDER, person="U0ALICE")
    await finish.duplicate(ctx, ALICE, second, of=number)
    await finish.reopen(ctx, ALICE, number, reason="it was real")
    file = await case(ctx, number)
    assert (file.incident.status, file.incident.ended_at) == (Status.REOPENED, None)
    assert (await case(ctx, second)).incident.duplicate_of == number


async def test_an_incident_is_no_duplicate_of_itself_or_of_nothing(ctx: Context) -> None:
    number = await led(ctx)
    with pytest.raises(Refused, match="which other incident"):
        await finish.duplicate(ctx, ALICE, number, of=number)
    with pytest.raises(NotFound):
        await finish.duplicate(ctx, ALICE, number, of=99)
