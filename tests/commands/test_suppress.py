"""The verbs of suppressions, as they are typed."""

from __future__ import annotations

import pytest

from bot.cases.context import Context
from bot.incident.errors import Invalid
from bot.store import Store
from tests.opened import context
from tests.spoken import said, spoken


@pytest.fixture
def ctx(sqlite_store: Store) -> Context:
    return context(sqlite_store)


async def test_a_suppression_is_made_shown_and_lifted(ctx: Context) -> None:
    assert said(await spoken(ctx, "suppressions")) == "Nothing is suppressed: every finding counts."
    await spoken(ctx, "suppress 3d --user u-redteam --app shop the red team tests the shop, ticket 4711")
    await spoken(ctx, 'suppress 2h "maintenance of all models" --everybody --starts 2026-03-02T12:00')
    first, second = said(await spoken(ctx, "suppressions")).splitlines()
    assert first.startswith("*2* · *everybody* · from <!date^") and "maintenance of all models" in first
    assert second.startswith("*1* · user `u-redteam` · app `shop` · until <!date^")
    assert second.endswith("<@U0ALICE>: the red team tests the shop, ticket 4711")
    assert "Suppression 1 is lifted" in said(await spoken(ctx, "unsuppress 1"))
    assert said(await spoken(ctx, "suppressions")) == first


@pytest.mark.parametrize(
    "line",
    [
        "suppress",
        "suppress 3d",
        "suppress soon --user u red team",
        "suppress 31d --user u red team",
        "suppress 3d red team",
        "unsuppress",
        "unsuppress first",
    ],
)
async def test_wrong_input_is_answered_with_an_example(ctx: Context, line: str) -> None:
    with pytest.raises(Invalid, match=r"For example: `/incident (un)?suppress "):
        await spoken(ctx, line)


async def test_hostile_names_are_shown_and_never_obeyed(ctx: Context) -> None:
    await spoken(ctx, 'suppress 1h --user "<!channel> `*x*`" "*bold* <https://evil.example|click>"')
    text = said(await spoken(ctx, "suppressions"))
    assert "<!channel>" not in text and "<https" not in text and "*bold*" not in text


async def test_a_long_list_is_cut_and_says_so(ctx: Context) -> None:
    for number in range(23):
        await spoken(ctx, f"suppress 1h --user u-{number} {'a long reason ' * 20}")
    text = said(await spoken(ctx, "suppressions"))
    assert text.endswith("… and 3 more.") and len(text) < 12_000
