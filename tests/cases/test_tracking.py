"""An action item becomes one issue: whatever is lost on the way, and however long the tracker is away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.cases import items, tracking
from bot.cases.context import Context
from bot.cases.gave_up import gave_up
from bot.incident.errors import Refused
from bot.incident.incident import SYSTEM
from bot.incident.outward import IntentKind, IntentState
from bot.incident.timeline import Happened
from bot.settings_tracker import TrackerSettings
from bot.store import Store, intents
from bot.store.runner import Done, Later, Never, Outcome, Runner
from bot.trackers.github import GitHub
from tests import opened as case
from tests.cases.test_items import ALICE, leading, listed, prefill, told
from tests.conftest import Clock
from tests.trackers.standins import TOKEN, Standin, standing_in

WANTED = TrackerSettings(kind="github", repository="acme/shop", token_env="T")


@pytest.fixture
async def far() -> AsyncIterator[Standin]:
    async with standing_in() as standin:
        yield standin


@pytest.fixture
async def github(far: Standin) -> AsyncIterator[GitHub]:
    made = GitHub("acme/shop", SecretStr(TOKEN), api=far.url)
    yield made
    await made.close()


async def asked(store: Store) -> Context:
    """One action item whose issue is wanted."""
    ctx = case.context(store, tracker=WANTED)
    number = await leading(ctx)
    await items.add(ctx, ALICE, number, text="Alert on the first canary")
    await tracking.track(ctx, ALICE, 1)
    return ctx


async def work(ctx: Context, github: GitHub, *, die: bool = False) -> Outcome | None:
    """One attempt, settled as the runner does it; `die`: the process ends before anything is settled."""
    [claim] = await intents.claim(ctx.store, "w1", limit=5, kinds=(IntentKind.TRACK,)) or [None]
    if claim is None:
        return None
    outcome = await tracking.carry_out(ctx, github, claim)
    if not die:
        runner = Runner(ctx.store, tracking.handlers(ctx, github), owner="w1", gave_up=gave_up)
        await runner.settle(claim, outcome)
    return outcome


async def state(store: Store) -> IntentState:
    [row] = await case.intents(store, 1, IntentKind.TRACK)
    return row.state


async def test_an_issue_is_opened_once_and_its_address_stands_beside_the_item(
    store: Store, far: Standin, github: GitHub
) -> None:
    ctx = await asked(store)
    with pytest.raises(Refused, match="being opened already"):
        await tracking.track(ctx, ALICE, 1)
    assert isinstance(await work(ctx, github), Done)
    [item] = await listed(ctx, 1)
    assert item.link == f"{far.url}/acme/shop/issues/1" and far.opened == 1
    assert (await told(store, 1, Happened.ITEM_CHANGED))[-1] == {"item": 1, "link": item.link}
    with pytest.raises(Refused, match="tracked already"):
        await tracking.track(ctx, ALICE, 1)


async def test_nothing_of_the_incident_leaves_but_its_number(sqlite_store: Store, far: Standin, github: GitHub) -> None:
    ctx = await asked(sqlite_store)
    await work(ctx, github)
    sent = str(far.issues)
    assert "Alert on the first canary" in sent and "INC-1" in sent
    for secret in ("mallory", "credential", "canary key was in an answer", "U0ALICE"):
        assert secret not in sent


async def test_an_answer_that_was_lost_is_looked_for_before_another_is_opened(
    store: Store, clock: Clock, far: Standin, github: GitHub
) -> None:
    ctx = await asked(store)
    far.faults.append("lost")
    first = await work(ctx, github)
    assert isinstance(first, Later) and first.uncertain and first.after is not None
    clock.advance(first.after)
    assert isinstance(await work(ctx, github), Done) and far.opened == 1
    assert (await listed(ctx, 1))[0].link is not None


async def test_a_process_that_dies_after_the_answer_opens_no_second_issue(
    store: Store, clock: Clock, far: Standin, github: GitHub
) -> None:
    ctx = await asked(store)
    await work(ctx, github, die=True)
    assert far.opened == 1 and (await listed(ctx, 1))[0].link is None
    clock.advance(seconds=30)
    assert isinstance(await work(ctx, github), Done)
    assert far.opened == 1 and (await listed(ctx, 1))[0].link is not None


async def test_a_tracker_that_is_down_for_an_hour_gets_its_issue_afterwards(
    store: Store, clock: Clock, far: Standin, github: GitHub
) -> None:
    ctx = await asked(store)
    far.faults += [503] * 500
    until, tried = clock.now + timedelta(hours=1), 0
    while clock.now < until:
        outcome = await work(ctx, github)
        tried += 1
        assert isinstance(outcome, Later) and outcome.after is not None
        clock.advance(outcome.after)
    assert tried < 60 and await state(store) is IntentState.PENDING
    far.faults.clear()
    assert isinstance(await work(ctx, github), Done) and far.opened == 1


async def test_what_cannot_be_is_said_in_the_room_and_can_be_asked_for_again(
    store: Store, far: Standin, github: GitHub
) -> None:
    ctx = await asked(store)
    far.faults.append(422)
    assert isinstance(await work(ctx, github), Never)
    posts = [row.args for row in await case.intents(store, 1, IntentKind.POST) if row.args["message"] == "gave_up"]
    assert posts[-1]["intent"] == "track" and "did not take the issue" in posts[-1]["why"]
    await tracking.track(ctx, ALICE, 1)
    assert isinstance(await work(ctx, github), Done) and far.opened == 1


async def test_where_it_is_automatic_every_item_is_tracked_but_those_of_a_drill(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store, tracker=WANTED.model_copy(update={"automatic": True}))
    number = await leading(ctx)
    await prefill(ctx, number)
    assert len(await case.intents(sqlite_store, number, IntentKind.TRACK)) == 5
    drill = await case.opened(ctx, user="eve")
    async with sqlite_store.unit() as unit:
        (await unit.incident(drill)).drill = True
    await prefill(ctx, drill)
    assert await case.intents(sqlite_store, drill, IntentKind.TRACK) == []


async def test_without_a_tracker_it_is_refused_with_what_to_do(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await items.add(ctx, ALICE, await leading(ctx), text="x")
    with pytest.raises(Refused, match="`tracker:` to the organisation's file"):
        await tracking.track(ctx, ALICE, 1)
    assert tracking.handlers(ctx, None) == {}


async def test_an_item_that_was_deleted_by_hand_ends_its_intent(sqlite_store: Store, github: GitHub) -> None:
    ctx = await asked(sqlite_store)
    async with sqlite_store.unit() as unit:
        item = (await listed(ctx, 1))[0]
        await unit.session.delete(await unit.session.merge(item))
        unit.record(await unit.incident(1), Happened.NOTE, SYSTEM, text="deleted by hand")
    assert isinstance(await work(ctx, github), Never)
