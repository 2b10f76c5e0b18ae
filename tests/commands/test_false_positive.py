"""`/incident false-positive`: who may, what it writes, and that it counts once."""

from __future__ import annotations

import pytest

from bot.cases.context import Context
from bot.incident.errors import Invalid, Refused, Repeated
from bot.incident.timeline import Happened
from bot.incident.words import Status
from bot.slack.buttons import Button
from bot.store import Store, queries
from tests.opened import context, incident, opened
from tests.spoken import asking, pressed, said, spoken

LINE = "false-positive INC-1 the load test sent it"


@pytest.fixture
async def ctx(store: Store) -> Context:
    made = context(store)
    await opened(made)
    return made


async def test_the_commander_ends_an_incident_that_was_nothing_with_the_reason_in_the_timeline(ctx: Context) -> None:
    await pressed(ctx, Button.TAKE_COMMAND, "1")
    assert "INC-1 is marked as a false positive" in said(await spoken(ctx, LINE))
    ended = await incident(ctx.store, 1)
    assert (ended.status, ended.resolution) == (Status.FALSE_POSITIVE, "the load test sent it")
    assert ended.ended_at is not None
    async with ctx.store.read() as session:
        entry = await queries.last_entry(session, 1, Happened.STATUS_CHANGED)
        await queries.verify_timeline(session, 1)
    assert entry is not None and entry.actor == "U0ALICE"
    assert entry.data == {"from": "open", "to": "false_positive", "reason": "the load test sent it"}


async def test_nobody_but_the_commander_or_the_technical_lead_may(ctx: Context) -> None:
    with pytest.raises(Refused, match="Nobody has taken command yet"):
        await spoken(ctx, LINE)
    await pressed(ctx, Button.TAKE_COMMAND, "1")
    with pytest.raises(Refused, match="Only the commander or technical lead"):
        await spoken(ctx, LINE, asking("U0BOB"))
    with pytest.raises(Refused):
        await spoken(ctx, LINE, asking("U0ALICE", member=False))
    assert (await incident(ctx.store, 1)).status is not Status.FALSE_POSITIVE


async def test_without_a_reason_nothing_changes(ctx: Context) -> None:
    await pressed(ctx, Button.TAKE_COMMAND, "1")
    with pytest.raises(Invalid, match="reason is missing"):
        await spoken(ctx, "false-positive INC-1")


async def test_a_second_delivery_gets_the_first_ones_answer(ctx: Context) -> None:
    await pressed(ctx, Button.TAKE_COMMAND, "1")
    once = asking()
    first = said(await spoken(ctx, LINE, once))
    with pytest.raises(Repeated) as again:
        await spoken(ctx, LINE, once)
    assert again.value.answer == first
