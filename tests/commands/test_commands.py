"""The verbs on a real store: what each does, says and shows, and to whom."""

from __future__ import annotations

import pytest

from bot.cases.context import Context
from bot.incident.casefile import CaseFile
from bot.incident.errors import Invalid, NotFound, Refused
from bot.incident.incident import Incident
from bot.incident.words import Role, Severity, Status, StepState
from bot.slack.buttons import Button
from bot.slack.feature import Modal, Shown
from bot.store import Store, queries
from commands.list import age
from tests.conftest import Clock
from tests.opened import context, opened
from tests.spoken import asking, pressed, said, spoken

ROOM = "C0ROOM"


@pytest.fixture
def ctx(store: Store) -> Context:
    return context(store)


async def case(ctx: Context, number: int = 1) -> CaseFile:
    async with ctx.store.read() as session:
        return await queries.case_file(session, number, ctx.store.now())


async def roomed(ctx: Context, number: int = 1) -> None:
    async with ctx.store.unit() as unit:
        (await unit.incident(number)).channel_id = ROOM


async def test_an_incident_is_declared_from_a_line_and_listed_without_its_title(ctx: Context) -> None:
    assert "INC-1 is declared as SEV-2" in said(await spoken(ctx, "declare P2 The <prompt> leaked --app chat"))
    assert (await case(ctx)).incident.title == "The <prompt> leaked"
    text = said(await spoken(ctx, "list"))
    assert "*INC-1* · SEV-2 · open · no commander yet · 0 min" in text and "leaked" not in text
    assert "No incident" in said(await spoken(ctx, "list sev1"))


async def test_the_declare_form_offers_every_severity_and_trigger(ctx: Context) -> None:
    form = await spoken(ctx, "declare")
    assert isinstance(form, Modal)
    blocks = {block["block_id"]: block for block in form.view.to_dict()["blocks"]}
    assert len(blocks["severity"]["element"]["options"]) == 4
    assert len(blocks["trigger"]["element"]["options"]) == len(ctx.playbook.triggers)


async def test_the_only_running_incident_is_meant_and_of_two_one_must_be_named(ctx: Context) -> None:
    with pytest.raises(Invalid, match="No incident is running"):
        await spoken(ctx, "ack")
    await opened(ctx)
    assert "You acknowledged INC-1" in said(await spoken(ctx, "ack"))
    await opened(ctx, Severity.SEV3, user="trudy")
    with pytest.raises(Invalid, match=r"INC-1 \(SEV-1\), INC-2 \(SEV-3\)"):
        await spoken(ctx, "note seen again")
    await spoken(ctx, "note seen again", asking(incident=2))
    assert (await case(ctx, 2)).incident.head_seq > 0


async def test_an_incident_that_is_not_there_is_named_so(ctx: Context) -> None:
    with pytest.raises(NotFound, match="There is no INC-99"):
        await spoken(ctx, "status 99")


async def test_details_are_shown_inside_the_room_only(ctx: Context) -> None:
    await opened(ctx)
    await roomed(ctx)
    outside = await spoken(ctx, "status")
    assert isinstance(outside, Shown) and "canary" not in outside.text and "mallory" not in outside.text
    inside = said(await spoken(ctx, "status", asking(channel=ROOM, incident=1)))
    assert "A canary key was in an answer" in inside and "mallory" in inside
    guest = said(await spoken(ctx, "status", asking("U0GINA", channel=ROOM, incident=1, member=False)))
    assert "canary" not in guest
    for line in ("timeline", "step list", "contain list", "step triage.scope", "contain propose"):
        with pytest.raises(Refused, match="in its room only"):
            await spoken(ctx, line)


async def test_the_timeline_and_the_lists_are_read_in_the_room(ctx: Context) -> None:
    await opened(ctx)
    await roomed(ctx)
    here = asking(channel=ROOM, incident=1)
    assert "*INC-1*: the last" in said(await spoken(ctx, "timeline 3", here))
    assert "triage" in said(await spoken(ctx, "step list", here))
    assert "proposed by" in said(await spoken(ctx, "contain list", here))
    assert isinstance(await spoken(ctx, "contain propose", here), Modal)
    for line in ("timeline 40", "step list --all", "contain list"):
        assert len(said(await spoken(ctx, line, here))) < 4000


async def test_command_is_taken_by_button_and_passed_on_by_name(ctx: Context) -> None:
    await opened(ctx)
    await pressed(ctx, Button.TAKE_COMMAND, "1")
    assert (await case(ctx)).commander == "U0ALICE"
    await spoken(ctx, "role assign commander <@U0BOB|bob>")
    assert (await case(ctx)).holders[Role.COMMANDER] == "U0BOB"


async def test_the_severity_is_changed_with_a_reason_and_its_form_shows_the_present_one(ctx: Context) -> None:
    await opened(ctx, Severity.SEV3)
    with pytest.raises(Refused, match="Say why"):
        await spoken(ctx, "sev 1")
    assert "is SEV-1 now" in said(await spoken(ctx, "sev 1 a second tenant"))
    form = await pressed(ctx, Button.SEVERITY, "1")
    assert isinstance(form, Modal)
    assert form.view.to_dict()["blocks"][0]["element"]["initial_option"]["value"] == "1"


async def test_a_step_is_ticked_undone_assigned_and_skipped_from_line_and_overflow(ctx: Context) -> None:
    await opened(ctx)
    step = (await case(ctx)).steps[0].step_id

    async def state() -> StepState:
        found = (await case(ctx)).step(step)
        assert found is not None
        return found.state

    await pressed(ctx, Button.STEP_DONE, f"1|{step}")
    assert await state() is StepState.DONE
    await pressed(ctx, Button.STEP_MORE, f"1|{step}|undo")
    assert await state() is StepState.OPEN
    await pressed(ctx, Button.STEP_MORE, f"1|{step}|assign")
    await spoken(ctx, f"step note {step} looked at it")
    await spoken(ctx, f"step skip {step} not needed here")
    found = (await case(ctx)).step(step)
    assert found is not None and (found.owner, found.note) == ("U0ALICE", "not needed here")
    for picked in ("skip", "note"):
        form = await pressed(ctx, Button.STEP_MORE, f"1|{step}|{picked}")
        assert isinstance(form, Modal) and form.view.private_metadata == f"1|{step}"
    with pytest.raises(Refused, match="older version"):
        await pressed(ctx, Button.STEP_MORE, f"1|{step}|fly")


async def test_an_action_is_proposed_declined_and_approved_by_its_number(ctx: Context) -> None:
    await opened(ctx, Severity.SEV2)
    await pressed(ctx, Button.TAKE_COMMAND, "1")
    await spoken(ctx, "contain propose rate_limit user u-77 pulls the knowledge base")
    index = (await case(ctx)).actions[-1].index
    form = await pressed(ctx, Button.DECLINE, f"1|{index}|abc")
    assert isinstance(form, Modal) and form.view.private_metadata == f"1|{index}"
    await spoken(ctx, f"contain decline {index} it is the load test")
    with pytest.raises(Refused, match="was declined"):
        await spoken(ctx, f"contain approve {index}")


async def test_an_incident_is_resolved_closed_and_reopened(ctx: Context) -> None:
    await opened(ctx)
    await spoken(ctx, "ack")
    await pressed(ctx, Button.TAKE_COMMAND, "1")
    await spoken(ctx, "update Contained; no action is needed")
    await spoken(ctx, "resolve --waive none the key was rotated")
    await pressed(ctx, Button.CLOSE, "1")
    assert (await case(ctx)).incident.status is Status.CLOSED
    await spoken(ctx, "close --reopen the same key again --incident 1")
    assert (await case(ctx)).incident.status is Status.REOPENED


async def test_every_button_that_opens_a_form_carries_its_incident(ctx: Context) -> None:
    await opened(ctx)
    await roomed(ctx)
    for button in (Button.UPDATE, Button.NOTE, Button.RESOLVE, Button.SEVERITY):
        form = await pressed(ctx, button, "1")
        assert isinstance(form, Modal) and form.view.private_metadata == "1"
    for button in (Button.STEP_EVIDENCE, Button.ATTEST):
        form = await pressed(ctx, button, "1|3")
        assert isinstance(form, Modal) and form.view.private_metadata == "1|3"


@pytest.mark.parametrize(
    ("minutes", "shown"), [(0, "0 min"), (59, "59 min"), (60, "1 h 00 min"), (185, "3 h 05 min"), (3120, "2 d 4 h")]
)
async def test_ages_are_shown_as_people_say_them(ctx: Context, clock: Clock, minutes: int, shown: str) -> None:
    now = clock()
    incident = Incident(
        number=1, title="x", severity=Severity.SEV1, declared_by="U", playbook_digest="", declared_at=now
    )
    assert age(incident, clock.advance(minutes=minutes)) == shown
