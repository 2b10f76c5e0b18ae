"""The verbs of the review and of what leaves, as they are typed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.cases.context import Context
from bot.incident.errors import Invalid, Refused
from bot.incident.outward import IntentKind
from bot.review.documents import makers
from bot.slack.feature import Modal
from bot.store import Store
from tests import opened as case
from tests.conftest import Clock
from tests.review import told
from tests.spoken import asking, said, spoken

ROOM = "C0ROOM"


@pytest.fixture
def ctx(sqlite_store: Store) -> Context:
    return replace(case.context(sqlite_store), documents=makers(told.desk(sqlite_store)))


@pytest.fixture
async def number(ctx: Context, clock: Clock) -> int:
    number = await told.whole(ctx.store, clock)
    async with ctx.store.unit() as unit:
        (await unit.incident(number)).channel_id = ROOM
    return number


async def test_the_review_is_written_for_who_asks_in_the_room(ctx: Context, number: int) -> None:
    inside = asking(channel=ROOM, incident=number)
    assert "is being written" in said(await spoken(ctx, "review --names", inside))
    with pytest.raises(Refused, match="in its room only"):
        await spoken(ctx, f"review INC-{number}")
    with pytest.raises(Refused):
        await spoken(ctx, "review", asking(channel=ROOM, incident=number, member=False))


async def test_it_is_planned_and_held(ctx: Context, number: int) -> None:
    assert "2026-04-01" in said(await spoken(ctx, f"review plan 2026-04-01 --incident INC-{number}"))
    assert "was held" in said(await spoken(ctx, f"review held --incident INC-{number} with both teams"))
    with pytest.raises(Refused, match="held already"):
        await spoken(ctx, f"review plan 2026-04-02 --incident INC-{number}")


@pytest.mark.parametrize("line", ["review plan", "review plan soon", "review plan 2026-13-01"])
async def test_a_day_that_is_none_is_answered_with_an_example(ctx: Context, line: str) -> None:
    with pytest.raises(Invalid, match="For example: `/incident review plan 2026-12-01`"):
        await spoken(ctx, line, asking(channel=ROOM, incident=1))


@pytest.mark.parametrize("verb", ["share", "vendor"])
async def test_what_leaves_begins_as_a_draft_in_the_room(ctx: Context, number: int, verb: str) -> None:
    inside = asking(channel=ROOM, incident=number)
    assert isinstance(await spoken(ctx, verb, inside), Modal)
    with pytest.raises(Refused, match="in its room only"):
        await spoken(ctx, verb, asking(incident=number))
    inside = asking(channel=ROOM, incident=number)
    assert "draft" in said(await spoken(ctx, f"{verb} check what is retrieved", inside))
    [upload] = await case.intents(ctx.store, number, IntentKind.UPLOAD)
    assert upload.args["draft"] is True and upload.args["document"] == verb
