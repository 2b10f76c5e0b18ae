"""Resolve, keep and time to live as they are typed and filled in: what is asked, what is carried, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from bot.cases import actions
from bot.cases.context import Context
from bot.incident.errors import Invalid, Refused
from bot.incident.words import ActionState, Status
from bot.slack import forms
from bot.slack.buttons import Button
from bot.slack.feature import Modal, Shown
from bot.store import Store, queries
from commands import resolve
from tests.opened import context, opened
from tests.spoken import asking, pressed, said, spoken

ROOM = "C0ROOM"


@pytest.fixture
async def ctx(sqlite_store: Store) -> Context:
    """INC-1, led by Alice, with its first two actions carried out by hand."""
    made = context(sqlite_store)
    await opened(made)
    async with sqlite_store.unit() as unit:
        (await unit.incident(1)).channel_id = ROOM
    await spoken(made, "ack")
    await pressed(made, Button.TAKE_COMMAND, "1")
    for index in (1, 2):
        await spoken(made, f"contain approve {index}")
        await by_hand(made, index)
    return made


async def by_hand(ctx: Context, index: int) -> None:
    async with ctx.store.unit() as unit:
        action = await actions.find(unit, await unit.incident(1), index)
        action.state, action.executed_at, action.verified_at = ActionState.VERIFIED, unit.now, unit.now


async def state(ctx: Context, index: int) -> dict[str, Any]:
    async with ctx.store.read() as session:
        case = await queries.case_file(session, 1, ctx.store.now())
    return case.actions[index - 1].model_dump()


def blocks(answer: object) -> dict[str, dict[str, Any]]:
    assert isinstance(answer, Modal)
    return {block.get("block_id", block["type"]): block for block in answer.view.to_dict()["blocks"]}


async def test_the_form_asks_about_everything_in_force_with_revert_ticked(ctx: Context) -> None:
    form = await spoken(ctx, "resolve", asking(channel=ROOM, incident=1))
    asked = blocks(form)
    ticked = [one["value"] for one in asked["revert"]["element"]["initial_options"]]
    assert ticked == ["2", "1"] and asked["because"]["optional"] is True
    assert "mallory" in str(asked["revert"])
    assert isinstance(form, Modal) and form.view.private_metadata == "1|2 1"
    assert "mallory" not in str(blocks(await spoken(ctx, "resolve", asking(incident=1)))["revert"])


async def test_what_was_unticked_in_the_form_is_kept(ctx: Context) -> None:
    form = resolve.FEATURE.forms[0]
    option = {"value": "1", "text": {"type": "plain_text", "text": "1"}}
    values: dict[str, Any] = {
        "reason": {"value": {"type": "plain_text_input", "value": "the filter is live"}},
        "revert": {"value": {"type": "checkboxes", "selected_options": [option]}},
        "because": {"value": {"type": "plain_text_input", "value": "the account was taken over"}},
        "waive": {"value": {"type": "plain_text_input", "value": "there is nothing to replay"}},
    }
    model = forms.read(form, values, incident=1, carried="2 1")
    answer = said(await form.submit(ctx, asking(incident=1), model))
    assert "Being reverted, the latest first: 1 (block user)" in answer and "Left in force: 2" in answer
    assert (await state(ctx, 2))["kept_because"] == "the account was taken over"
    assert (await state(ctx, 1))["revert_asked_by"] == "U0ALICE"


async def test_a_line_names_what_is_reverted_and_what_is_kept(ctx: Context) -> None:
    with pytest.raises(Refused, match=r"Still in force: 2 .*, 1 .* `--revert 1,3`"):
        await spoken(ctx, "resolve --waive none the filter is live")
    with pytest.raises(Invalid, match=r"by their numbers: 1,3"):
        await spoken(ctx, "resolve --revert one the filter is live")
    answer = said(await spoken(ctx, 'resolve --waive none --revert 1 --keep 2 --because "not yet" the filter is live'))
    assert "INC-1 is resolved" in answer
    assert (await state(ctx, 2))["kept_because"] == "not yet"
    async with ctx.store.read() as session:
        assert (await queries.incident(session, 1)).status is Status.RESOLVED


async def test_times_and_reasons_are_typed(ctx: Context) -> None:
    assert "temporary until" in said(await spoken(ctx, "contain ttl 1 4h"))
    assert "no end time" in said(await spoken(ctx, "contain ttl 1 off"))
    for wrong in ("4", "soon", "0m", "4 h", "-1h", "999999d"):
        with pytest.raises(Invalid):
            await spoken(ctx, f"contain ttl 1 {wrong}")
    assert "asked again" in said(await spoken(ctx, "contain keep 1 --ask-again 2d they are being called"))
    assert (await state(ctx, 1))["kept_because"] == "they are being called"


async def test_the_overflow_sets_a_time_or_opens_the_form_to_keep(ctx: Context) -> None:
    assert "temporary until" in said(await pressed(ctx, Button.ACTION_MORE, "1|1|240"))
    assert "no end time" in said(await pressed(ctx, Button.ACTION_MORE, "1|1|off"))
    form = await pressed(ctx, Button.ACTION_MORE, "1|1|keep")
    assert isinstance(form, Modal) and form.view.private_metadata == "1|1"
    with pytest.raises(Refused, match="older version"):
        await pressed(ctx, Button.ACTION_MORE, "1|1|forever")


async def test_what_is_in_force_is_listed_in_the_room_only_the_latest_first(ctx: Context) -> None:
    shown = await spoken(ctx, "contain restore", asking(channel=ROOM, incident=1))
    assert isinstance(shown, Shown)
    pressable = [one.to_dict()["block_id"] for one in shown.blocks if one.type == "actions"]
    assert pressable == ["restore:1:2", "restore:1:1"]
    with pytest.raises(Refused, match="in its room only"):
        await spoken(ctx, "contain restore", asking(incident=1))
