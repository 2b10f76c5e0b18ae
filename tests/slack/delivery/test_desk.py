"""What handlers are handed: intents of one incident that are claimed together share one read, never one that is too old."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.incident.errors import NotFound
from bot.incident.outward import IntentKind
from bot.settings import Organisation
from bot.slack.client import Slack, slack_client, slack_session
from bot.slack.delivery.desk import Desk
from bot.slack.failures import Failure
from bot.slack.pace import Pace
from bot.store import Store
from bot.store.intents import Claim
from tests.conftest import START, open_incident
from tests.slack.casefiles import playbook


def claim(number: int, intent: int = 1) -> Claim:
    return Claim(
        id=intent, key=f"show:{number}:{intent}", kind=IntentKind.SHOW, incident=number, args={}, attempt=1, generation=1,
        uncertain=False, wanted_at=START, until=START + timedelta(seconds=15),
    )  # fmt: skip


@pytest.fixture
async def desk(sqlite_store: Store) -> Desk:
    async with sqlite_store.unit() as unit:
        await open_incident(unit)
    async with slack_session() as session:
        slack = Slack(slack_client("xoxb-none", "http://127.0.0.1:9/", session), Pace())
        return Desk(sqlite_store, playbook(), Organisation(), slack)


async def test_intents_that_ask_together_share_one_read(desk: Desk) -> None:
    first, second = await asyncio.gather(desk.file(claim(1)), desk.file(claim(1, 2)))
    assert first is second


async def test_who_asks_after_a_read_has_begun_gets_a_newer_one(desk: Desk) -> None:
    first = asyncio.create_task(desk.file(claim(1)))
    while not desk._reading:
        await asyncio.sleep(0)
    while desk._reading:
        await asyncio.sleep(0)
    second = await desk.file(claim(1, 2))
    assert await first is not second


async def test_a_reader_that_is_cut_short_takes_the_file_from_nobody_else(desk: Desk) -> None:
    cut, kept = (asyncio.create_task(desk.file(claim(1, intent))) for intent in (1, 2))
    await asyncio.sleep(0)
    cut.cancel()
    assert (await kept).incident.number == 1


async def test_every_asker_is_told_that_the_incident_is_gone(desk: Desk) -> None:
    told = await asyncio.gather(desk.file(claim(404)), desk.file(claim(404, 2)), return_exceptions=True)
    assert [type(one) for one in told] == [NotFound, NotFound]


async def test_places_go_to_whoever_asks_first_and_the_rest_are_told_when_to_come_again(desk: Desk) -> None:
    asked = [desk.slack.place("conversations.create") for _ in range(21)]
    assert asked[:19] == [None] * 19
    assert isinstance(asked[-1], Failure) and asked[-1].after is not None and not asked[-1].permanent
