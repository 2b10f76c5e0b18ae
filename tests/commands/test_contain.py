"""The verbs of containment, as they are typed and pressed: by number, in a form, from a direct message."""

from __future__ import annotations

import pytest

from bot.cases.context import Context
from bot.incident.casefile import CaseFile
from bot.incident.errors import Invalid, Refused
from bot.incident.words import ActionKind, ActionState, Via
from bot.slack import parse
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Modal
from bot.slack.forms import FormErrors, read
from bot.store import Store, queries
from commands import FEATURES, contain_break_glass
from tests.opened import context, opened
from tests.spoken import asking, pressed, said, spoken

ROOM = "C0ROOM"


@pytest.fixture
async def ctx(sqlite_store: Store) -> Context:
    """INC-1, whose room is open and whose commander is Alice."""
    made = context(sqlite_store)
    await opened(made)
    async with made.store.unit() as unit:
        (await unit.incident(1)).channel_id = ROOM
    await pressed(made, Button.TAKE_COMMAND, "1")
    return made


async def case(ctx: Context) -> CaseFile:
    async with ctx.store.read() as session:
        return await queries.case_file(session, 1, ctx.store.now())


async def waiting(ctx: Context, kind: ActionKind = ActionKind.ENABLE_SAFE_MODE) -> int:
    return next(one.index for one in (await case(ctx)).actions if one.kind is kind)


def bob(channel: str | None = ROOM, **more: object) -> Asked:
    return asking("U0BOB", channel=channel, incident=1, **more)


async def test_the_list_says_who_may_decide_and_is_for_the_room(ctx: Context) -> None:
    index = await waiting(ctx)
    text = said(await spoken(ctx, "contain list", bob()))
    assert f"*{index}. Enable safe mode* on" in text
    assert "0 of 2 signed · waits for the incident commander or CISO" in text
    with pytest.raises(Refused, match="shown in its room only"):
        await spoken(ctx, "contain list INC-1", bob("C0ELSEWHERE"))


async def test_break_glass_by_its_number_with_a_reason(ctx: Context) -> None:
    index = await waiting(ctx)
    answer = said(await spoken(ctx, f"contain break-glass {index} nobody answers, and it goes on", bob()))
    assert "You broke the glass" in answer and "<@U0ALICE> and the room are told" in answer
    about = await case(ctx)
    action = next(one for one in about.actions if one.index == index)
    broken = about.glass_broken(action)
    assert action.state is ActionState.APPROVED and broken is not None
    assert (broken.person, broken.reason) == ("U0BOB", "nobody answers, and it goes on")


@pytest.mark.parametrize(
    "line", ["contain break-glass", "contain break-glass 3", "contain break-glass three now", "contain approve x"]
)
async def test_wrong_input_is_answered_with_an_example(ctx: Context, line: str) -> None:
    with pytest.raises(Invalid, match=r"For example: `/incident contain (break-glass|approve) 3"):
        await spoken(ctx, line, bob())
    assert all(one.state is not ActionState.APPROVED for one in (await case(ctx)).actions)


async def test_break_glass_in_the_panels_form_is_bound_to_what_the_panel_showed(ctx: Context) -> None:
    index = await waiting(ctx)
    digest = next(one.digest for one in (await case(ctx)).actions if one.index == index)[:16]
    form = await pressed(ctx, Button.BREAK_GLASS, f"1|{index}|{digest}", "U0BOB")
    assert isinstance(form, Modal) and form.view.private_metadata == f"1|{index}|{digest}"
    filled = {"reason": {"value": {"type": "plain_text_input", "value": "nobody answers"}}}
    submitted = contain_break_glass.FEATURE.forms[0]
    stale = read(submitted, filled, incident=1, carried=f"{index}|{'0' * 16}")
    with pytest.raises(Refused, match="changed after it was shown to you"):
        await submitted.submit(ctx, bob(), stale)
    model = read(submitted, filled, incident=1, carried=f"{index}|{digest}")
    assert "You broke the glass" in said(await submitted.submit(ctx, bob(), model))
    with pytest.raises(FormErrors):
        read(submitted, {"reason": {"value": {"type": "plain_text_input", "value": " "}}}, incident=1, carried="3|ab")


async def test_break_glass_works_in_the_room_only(ctx: Context) -> None:
    index = await waiting(ctx)
    for elsewhere in ("D0BOB", "C0ELSEWHERE", None):
        with pytest.raises(Refused, match="works in the room of INC-1 only"):
            await spoken(ctx, f"contain break-glass {index} nobody answers", bob(elsewhere))


@pytest.mark.parametrize(
    ("inbound", "channel", "via"),
    [
        ("slash:1", ROOM, Via.COMMAND),
        ("slash:1", "D0ALICE", Via.COMMAND),
        ("click:1:U0ALICE:approve", ROOM, Via.PANEL),
        ("view:V1", ROOM, Via.PANEL),
        ("click:1:U0ALICE:approve", "D0ALICE", Via.DIRECT),
        ("view:V1", "D0ALICE", Via.DIRECT),
    ],
)
def test_the_way_by_which_somebody_acted_is_known(inbound: str, channel: str, via: Via) -> None:
    assert Asked("U0ALICE", full_member=True, inbound=inbound, channel=channel).caller.via is via


async def test_each_form_about_one_action_carries_its_number(ctx: Context) -> None:
    for button, carried in ((Button.DECLINE, "1|3"), (Button.ATTEST, "1|3"), (Button.BREAK_GLASS, "1|3|abc")):
        form = await pressed(ctx, button, "1|3|abc")
        assert isinstance(form, Modal) and form.view.private_metadata == carried
    assert parse.about(FEATURES, "contain break-glass").verb == "contain break-glass"
