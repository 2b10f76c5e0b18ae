"""Notices reach the stakeholders' channel once, whatever happens on the way, and say nothing where there is none."""

from __future__ import annotations

from datetime import timedelta

from bot.incident.outward import IntentKind, IntentState
from bot.incident.registered import Suppression
from bot.practice.server import PracticeWorkspace
from bot.store import suppressions
from tests.slack.delivery.conftest import Work


async def suppressed(work: Work, *, trigger: str | None = None, key: str = "notice:1") -> None:
    async with work.store.unit() as unit:
        about = Suppression(
            trigger=trigger,
            reason="because of *secret*",
            starts_at=unit.now,
            ends_at=unit.now + timedelta(hours=2),
            made_by="U0ALICE",
            made_at=unit.now,
        )
        number = await suppressions.add(unit, about)
        await unit.intend(IntentKind.NOTICE, key, args={"notice": "suppression_made", "suppression": number})


async def test_the_channel_is_told_who_and_until_when_and_not_why(work: Work, ws: PracticeWorkspace) -> None:
    await suppressed(work, trigger="bulk_data_extraction")
    await work.settled()
    [message] = ws.messages(ws.channel("incidents"))
    text = str(message.text)
    assert "<@U0ALICE> suppressed them" in text and "`bulk_data_extraction`" in text
    assert "secret" not in text


async def test_a_notice_that_may_have_been_posted_is_looked_for_before_it_is_repeated(
    idle: Work, ws: PracticeWorkspace
) -> None:
    await suppressed(idle)
    await idle.carried_out_and_killed(IntentKind.NOTICE)
    assert len(ws.messages(ws.channel("incidents"))) == 1
    idle.start()
    await idle.settled()
    assert len(ws.messages(ws.channel("incidents"))) == 1


async def test_an_unknown_notice_or_a_deleted_suppression_is_given_up(work: Work) -> None:
    async with work.store.unit() as unit:
        await unit.intend(IntentKind.NOTICE, "notice:a", args={"notice": "of a later version", "suppression": 1})
        await unit.intend(IntentKind.NOTICE, "notice:b", args={"notice": "suppression_made", "suppression": 99})
    await work.settled()
    assert {row.state for row in await work.intents()} == {IntentState.GIVEN_UP}
