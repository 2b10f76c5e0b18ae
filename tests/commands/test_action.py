"""The verbs of action items and risks, as they are typed and pressed."""

from __future__ import annotations

from typing import Any

import pytest

from bot.cases import items
from bot.cases.context import Context
from bot.incident.due import in_days
from bot.incident.errors import Invalid, Refused
from bot.incident.learning import ActionItem
from bot.slack.buttons import Button
from bot.slack.feature import Answer, Asked, Modal, Shown
from bot.slack.forms import FormErrors, read
from bot.store import Store
from commands import FEATURES
from tests.cases.test_items import ROOM, leading, prefill
from tests.opened import context
from tests.slack.test_text import HOSTILE
from tests.spoken import asking, pressed, said, spoken


@pytest.fixture
def ctx(sqlite_store: Store) -> Context:
    return context(sqlite_store)


def inside(user: str = "U0ALICE", **more: Any) -> Asked:
    return asking(user, channel=ROOM, incident=1, **more)


def shown(answer: Answer) -> str:
    assert isinstance(answer, Shown), answer
    return "\n".join([answer.text, *(str(block.to_dict()) for block in answer.blocks)])


async def test_an_item_is_added_listed_edited_and_finished(ctx: Context) -> None:
    await leading(ctx)
    line = "action add --type detect --owner <@U0BOB|bob> --due 2w alert on the first canary"
    assert said(await spoken(ctx, line, inside())) == "Action item 1 of INC-1 is added for <@U0BOB>, due 2026-03-16."
    listed = shown(await spoken(ctx, "action", inside()))
    assert "detect · <@U0BOB> · due 2026-03-16" in listed and "'Done'" in listed and "'Edit'" in listed
    await spoken(ctx, "action edit 1 --due 2026-12-01 alert on every canary", inside())
    assert "due 2026-12-01" in shown(await spoken(ctx, "action", asking("U0BOB"))), "outside of a room it is their own"
    assert said(await pressed(ctx, Button.ITEM_DONE, "1|1", "U0BOB")) == "Action item 1 of INC-1 is done."
    assert "1 done: alert on every canary" in shown(await spoken(ctx, "action", inside()))


async def test_the_list_of_a_room_is_read_in_that_room_only(ctx: Context) -> None:
    await leading(ctx)
    await prefill(ctx, 1)
    assert shown(await spoken(ctx, "action INC-1", inside())).count("'Edit'") == 5
    with pytest.raises(Refused, match="shown in its room only"):
        await spoken(ctx, "action INC-1", asking("U0EVE"))
    assert "No action item waits for you" in shown(await spoken(ctx, "action", asking("U0EVE")))


@pytest.mark.parametrize(
    "line",
    ["action add", "action add --due soon x", "action add --type other x", "action done", "action done first",
     "action drop 1", "action edit", "risk add --likelihood huge x", "risk close 1", "action frobnicate"],
)  # fmt: skip
async def test_wrong_input_is_answered_with_an_example(ctx: Context, line: str) -> None:
    await leading(ctx)
    if line == "action add":
        assert isinstance(await spoken(ctx, line, inside()), Modal)
        return
    with pytest.raises(Invalid, match=r"For example: `/incident (action|risk)"):
        await spoken(ctx, line, inside())


async def test_a_date_that_is_over_is_refused_in_words(ctx: Context) -> None:
    await leading(ctx)
    with pytest.raises(Invalid, match="2026-03-01 is over"):
        await spoken(ctx, "action add --due 2026-03-01 x", inside())


async def test_an_overdue_item_is_edited_without_a_new_date_in_its_form(ctx: Context) -> None:
    await leading(ctx)
    await spoken(ctx, "action add --due 0d x", inside())
    async with ctx.store.unit() as unit:
        item = await unit.session.get(ActionItem, 1)
        assert item is not None
        item.due_at = in_days(unit.now, -5)
    form = await spoken(ctx, "action edit 1", inside())
    assert isinstance(form, Modal) and form.view.private_metadata == "1|1"
    due = next(block for block in form.view.blocks or [] if block.block_id == "due").to_dict()["element"][
        "initial_value"
    ]
    edit = next(f for f in FEATURES if f.verb == "action edit")
    typed = {
        name: {"value": {"type": "plain_text_input", "value": text}} for name, text in (("text", "y"), ("due", due))
    }
    model = read(edit.forms[0], typed, incident=1, carried="1")
    assert said(await edit.forms[0].submit(ctx, inside(), model)).startswith("Action item 1 is changed")
    typed["due"]["value"]["value"] = "soon"
    with pytest.raises(FormErrors) as wrong:
        read(edit.forms[0], typed, incident=1, carried="1")
    assert set(wrong.value.errors) == {"due"}, "said under its input, before the form closes"


async def test_a_risk_is_entered_changed_listed_and_closed(ctx: Context) -> None:
    await leading(ctx)
    line = "risk add --likelihood low --impact high --treatment accept --owner <@U0BOB> --review 90d other prompts too"
    assert said(await spoken(ctx, line, inside())) == "Risk 1 of INC-1 is in the register."
    assert "likelihood low, impact high · accept · <@U0BOB> · to be looked at on 2026-05-31" in shown(
        await spoken(ctx, "risk", inside())
    )
    assert isinstance(await pressed(ctx, Button.RISK_CHANGE, "1|1"), Modal)
    assert "likelihood high" in said(await spoken(ctx, "risk change 1 --likelihood high", inside()))
    assert "other prompts" in shown(await spoken(ctx, "risk", asking("U0BOB")))
    assert "closed" in said(await spoken(ctx, "risk close 1 the model is switched off", inside()))
    assert "· closed" in shown(await spoken(ctx, "risk", inside()))


@pytest.mark.parametrize("text", [text for text in HOSTILE if text.strip() and len(text) <= 500])
async def test_hostile_text_is_shown_and_never_obeyed(ctx: Context, text: str) -> None:
    await leading(ctx)
    await items.add(ctx, inside().caller, 1, text=text, room=ROOM)
    await items.drop(ctx, inside().caller, 1, reason=text, room=ROOM)
    await items.add(ctx, inside().caller, 1, text=text, room=ROOM)
    listed = shown(await spoken(ctx, "action", inside()))
    assert not any(live in listed for live in ("<!channel>", "<@U01ALICE>", "<http", "<mailto", "\u202e", "\x00"))


async def test_a_long_list_fits_into_one_answer(ctx: Context) -> None:
    await leading(ctx)
    for number in range(60):
        await items.add(ctx, inside().caller, 1, text=f"{number} " + "x" * 490, room=ROOM)
        if number < 40:
            await items.done(ctx, inside().caller, number + 1)
    answer = await spoken(ctx, "action", inside())
    assert isinstance(answer, Shown) and len(answer.blocks) <= 50
    assert "… and 8 more that are pending" in shown(answer) and "… and 15 more." in shown(answer)
