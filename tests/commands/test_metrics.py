"""`/incident metrics`, as it is typed: a table for that person, and a picture that follows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import col, select, update

from bot.cases.context import Context
from bot.incident.errors import Invalid
from bot.incident.incident import Incident
from bot.incident.outward import Intent, IntentKind
from bot.practice.blocks import problems
from bot.slack.feature import Answer, Shown
from bot.slack.kit import KitError
from bot.slack.limits import render
from bot.slack.table import table
from bot.store import Store
from tests.conftest import START
from tests.opened import context, opened
from tests.spoken import asking, said, spoken


@pytest.fixture
def ctx(sqlite_store: Store) -> Context:
    return context(sqlite_store)


async def pictures(store: Store) -> list[dict[str, object]]:
    async with store.read() as session:
        found = await session.exec(select(Intent).where(Intent.kind == IntentKind.UPLOAD).order_by(col(Intent.id)))
        return [one.args for one in found.all()]


async def change(store: Store, number: int, **values: object) -> None:
    async with store.unit() as unit:
        await unit.session.exec(update(Incident).where(col(Incident.number) == number).values(**values))


def cells(answer: Answer) -> list[list[str]]:
    assert isinstance(answer, Shown)
    [found] = [block for block in map(render, answer.blocks) if block["type"] == "table"]
    return [[cell["text"] for cell in row] for row in found["rows"]]


async def test_the_answer_is_a_table_for_that_person_and_a_picture_follows_to_where_it_was_asked(ctx: Context) -> None:
    number = await opened(ctx)
    await change(ctx.store, number, acknowledged_at=ctx.store.now() + timedelta(minutes=5))
    answer = await spoken(ctx, "metrics", asking(channel="C1", incident=number))
    [head, _, answered, *_] = cells(answer)
    assert head[:3] == ["Metric", "n", "Median"]
    assert answered[0] == "Time to acknowledge" and answered[1] == "1" and answered[2] in {"5 min", "4 min"}
    assert isinstance(answer, Shown) and "Time to contain: not known" in answer.text
    await spoken(ctx, "metrics --by month --since 12w", asking(user="U0BOB", channel="C0ELSEWHERE"))
    inside, outside = await pictures(ctx.store)
    assert (inside["document"], inside["channel"], inside["group"]) == ("metrics", "C1", None)
    assert (outside["person"], outside["group"]) == ("U0BOB", "month") and "channel" not in outside


async def test_only_drills_is_no_incident_and_no_picture(ctx: Context) -> None:
    number = await opened(ctx)
    await change(ctx.store, number, drill=True)
    assert "No incident was declared in this time; drills are not counted" in said(await spoken(ctx, "metrics"))
    assert await pictures(ctx.store) == []


@pytest.mark.parametrize("line", ["metrics --since soon", "metrics --since 0d", "metrics --by user", "metrics --since"])
async def test_what_cannot_be_read_is_answered_with_an_example(ctx: Context, line: str) -> None:
    with pytest.raises(Invalid, match="/incident metrics"):
        await spoken(ctx, line)


async def test_slack_takes_the_answer_whatever_triggers_are_called(ctx: Context) -> None:
    for number in [await opened(ctx, user=f"u{n}", app=f"a{n}") for n in range(45)]:
        hostile = f"<!channel> `*x*` :fire: {number} " + "\u202e𒐫" * 20
        await change(ctx.store, number, trigger=hostile[:80])
    for line in ("metrics", "metrics trigger", "metrics severity", "metrics month"):
        answer = await spoken(ctx, line)
        assert isinstance(answer, Shown)
        assert problems([render(block) for block in answer.blocks], "message") == []
        assert "<!channel>" not in answer.text
    assert len(cells(await spoken(ctx, "metrics trigger"))) == 42


async def test_what_is_not_known_is_said_with_its_reason(ctx: Context) -> None:
    number = await opened(ctx)
    await change(ctx.store, number, contained_at=START - timedelta(days=3000), detected_at=ctx.store.now())
    answer = await spoken(ctx, "metrics")
    assert isinstance(answer, Shown)
    told = str([render(block) for block in answer.blocks])
    assert "Time to contain: 1 × out of order: contained before it was detected" in told


def test_a_table_that_slack_would_refuse_is_not_made() -> None:
    for rows, columns, length in ((100, 2, 1), (1, 21, 1), (99, 2, 60)):
        with pytest.raises(KitError):
            table(["h"] * columns, [["x" * length] * columns] * rows)
    assert render(table(["a", "b"], [["", "\u202e"]]))["rows"][1][0]["text"] == "—"
