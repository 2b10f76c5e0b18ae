from __future__ import annotations

from datetime import timedelta

import pytest

from bot.cases import acknowledge, finish, roles
from bot.cases.remind import sweep
from bot.cases.snooze import snooze
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused, Repeated
from bot.incident.incident import person
from bot.incident.outward import ReminderKind
from bot.incident.timeline import Happened
from bot.incident.words import Role
from bot.store import Store, queries
from tests import opened as case
from tests.conftest import START, Clock

K = ReminderKind


async def due(store: Store, number: int, *kinds: ReminderKind) -> list[float]:
    return [(row.due_at - START).total_seconds() / 60 for row in await case.reminders(store, number, *kinds)]


async def test_nudges_within_the_snooze_come_that_much_later_and_others_stay(store: Store) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    assert await due(store, number, K.WINDOW_NUDGE) == [3, 8, 13, 25, 40, 55]
    answer = await snooze(ctx, case.ALICE, number, minutes=10)
    assert await due(store, number, K.WINDOW_NUDGE) == [13, 13, 18, 25, 40, 55]
    assert "10 minutes" in answer


async def test_a_snooze_never_puts_off_a_call_an_expiry_or_a_window(store: Store) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    kept = (K.ACKNOWLEDGE, K.ACTION_EXPIRY, K.WINDOW_START)
    before = await due(store, number, *kept)
    await snooze(ctx, case.ALICE, number, minutes=60)
    assert await due(store, number, *kept) == before


async def test_a_snooze_is_on_the_timeline(store: Store) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await snooze(ctx, case.ALICE, number, minutes=5)
    async with store.read() as session:
        entry = await queries.last_entry(session, number, Happened.SNOOZED)
    assert entry is not None
    assert (entry.actor, entry.data) == ("U0ALICE", {"minutes": 5, "reminders": 1})


async def test_a_snoozed_nudge_comes_when_the_snooze_is_over(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await snooze(ctx, case.ALICE, number, minutes=4)
    told = []
    for _ in range(7):
        clock.advance(minutes=1)
        await sweep(ctx)
        told.append([one["message"] for one in await case.posts(store, number)].count("window_nudge"))
    assert told == [0, 0, 0, 0, 0, 0, 1], "it was due after three minutes, and four more were asked for"


async def test_where_nothing_is_due_nothing_is_changed_and_it_says_so(store: Store) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    answer = await snooze(ctx, case.ALICE, number, minutes=1)
    assert "nothing was changed" in answer
    async with store.read() as session:
        assert await queries.last_entry(session, number, Happened.SNOOZED) is None


async def test_the_nudge_that_was_just_said_is_said_again_after_the_snooze(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    [first, *_] = await case.reminders(store, number, K.WINDOW_NUDGE)
    clock.now = first.due_at
    await sweep(ctx)
    said = len(await case.posts(store, number))
    await snooze(ctx, case.ALICE, number, minutes=1)
    clock.advance(seconds=59)
    await sweep(ctx)
    assert len(await case.posts(store, number)) == said, "it is quiet"
    clock.advance(seconds=2)
    await sweep(ctx)
    [*_, again] = await case.posts(store, number)
    assert (again["message"], again["window"]) == ("window_nudge", first.args["window"])


@pytest.mark.parametrize("minutes", [0, -5, 61, 10_000])
async def test_only_one_to_sixty_minutes_can_be_snoozed(sqlite_store: Store, minutes: int) -> None:
    ctx = case.context(sqlite_store)
    number = await case.opened(ctx)
    with pytest.raises(Invalid, match="1 to 60 minutes"):
        await snooze(ctx, case.ALICE, number, minutes=minutes)


async def test_a_guest_cannot_silence_an_incident(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    number = await case.opened(ctx)
    with pytest.raises(Refused, match="full member"):
        await snooze(ctx, Caller(person("U0GINA"), full_member=False), number, minutes=5)


async def test_an_incident_that_ended_cannot_be_snoozed(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    number = await case.opened(ctx)
    await acknowledge.acknowledge(ctx, case.ALICE, number)
    await roles.assign(ctx, case.ALICE, number, role=Role.COMMANDER, person="U0ALICE")
    await finish.false_positive(ctx, case.ALICE, number, reason="a test key")
    with pytest.raises(Refused, match="ended"):
        await snooze(ctx, case.ALICE, number, minutes=5)


async def test_a_click_that_is_delivered_twice_snoozes_once(store: Store) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    click = Caller(person("U0ALICE"), inbound="click:1")
    first = await snooze(ctx, click, number, minutes=5)
    with pytest.raises(Repeated) as again:
        await snooze(ctx, click, number, minutes=5)
    assert again.value.answer == first
    assert (await due(store, number, K.WINDOW_NUDGE))[0] == 8


async def test_a_snooze_runs_at_the_speed_of_the_demo(store: Store) -> None:
    ctx = case.context(store, speed=60)
    number = await case.opened(ctx)
    await snooze(ctx, case.ALICE, number, minutes=4)
    [first, *_] = await case.reminders(store, number, K.WINDOW_NUDGE)
    assert first.due_at == START + timedelta(seconds=7)
