"""Order of work: urgent first, nobody starves, one room's posts one after the other, and a clock that steps loses nothing."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest
from sqlmodel import col, select, update

from bot.incident.incident import SYSTEM
from bot.incident.outward import Intent, IntentKind, SurfaceKind
from bot.incident.timeline import Happened
from bot.store import Store, intents
from bot.store.intents import LEASE, PATIENCE, SPACING, TOGETHER, reweigh
from bot.store.resync import resync
from bot.store.runner import CONCURRENCY, Done, Later, Outcome, Runner
from tests.conftest import Clock, open_incident
from tests.store.test_intents import done, intend, later, never, stored, take
from tests.store.test_runner import until


async def room(store: Store, *keys: str, severity: int = 2) -> int:
    """An incident with an open room and posts to it, one after the other."""
    async with store.unit() as unit:
        incident = await open_incident(unit, channel_id=f"C{severity}{len(keys)}", severity=severity)
        for key in keys:
            await unit.intend(IntentKind.POST, key, incident=incident)
    return incident.number


# Nobody starves


async def test_of_every_claim_one_place_goes_to_what_has_waited_longest(store: Store, clock: Clock) -> None:
    await intend(store, "chatter", kind=IntentKind.POST)
    clock.advance(PATIENCE)
    for _ in range(3):
        await intend(store, *(f"contain-{random.random()}" for _ in range(5)), kind=IntentKind.EXECUTE)
    keys = [claim.key for claim in await take(store, limit=3)]
    assert "chatter" in keys
    assert len([key for key in keys if key.startswith("contain")]) == 2


async def test_what_has_not_waited_long_comes_in_order_of_urgency(store: Store, clock: Clock) -> None:
    await intend(store, "chatter", kind=IntentKind.POST)
    clock.advance(PATIENCE - timedelta(milliseconds=1))
    await intend(store, *(f"contain-{n}" for n in range(5)), kind=IntentKind.EXECUTE)
    assert "chatter" not in [claim.key for claim in await take(store, limit=5)]


async def test_a_claim_that_is_not_fair_is_by_urgency_alone(store: Store, clock: Clock) -> None:
    await intend(store, "chatter", kind=IntentKind.POST)
    clock.advance(minutes=5)
    await intend(store, "contain", kind=IntentKind.EXECUTE)
    [claim] = await intents.claim(store, "a", limit=1, fair=False)
    assert claim.key == "contain"


async def test_chatter_gets_through_an_endless_stream_of_surfaces(store: Store, clock: Clock) -> None:
    """Every place is taken all the time, and each free one could go to something more urgent."""
    shown: list[str] = []
    over = asyncio.Event()

    async def show(claim: intents.Claim) -> Outcome:
        shown.append(claim.key)
        await asyncio.sleep(0)
        return Later("again", after=timedelta(0), counts=False)

    async def post(_: intents.Claim) -> Outcome:
        over.set()
        return Done()

    await intend(store, "chatter", kind=IntentKind.POST)
    clock.advance(PATIENCE)
    await intend(store, *(f"s{n:03}" for n in range(3 * CONCURRENCY)))

    async def nobody(*_: object) -> None:
        return None

    runner = Runner(store, {IntentKind.SHOW: show, IntentKind.POST: post}, owner="a", gave_up=nobody)
    task = asyncio.create_task(runner.run())
    async with asyncio.timeout(20):
        await over.wait()
    await runner.stop(within=1)
    await task
    assert len(shown) < 10 * CONCURRENCY


async def test_what_waits_becomes_as_urgent_as_its_incident(store: Store) -> None:
    minor, worse = await room(store, "minor", severity=4), await room(store, "worse", severity=3)
    async with store.unit() as unit:
        (await unit.incident(minor)).severity = 1  # type: ignore[assignment]
        await reweigh(unit, minor, 1 - 4)
    assert [claim.key for claim in await take(store)] == ["minor", "worse"]
    assert worse == 2


# One after the other


async def test_posts_to_one_room_go_one_after_the_other(store: Store) -> None:
    await room(store, "first", "second", "third")
    for key in ("first", "second", "third"):
        [claim] = await take(store, limit=10)
        assert claim.key == key
        await done(store, claim)
    assert await take(store) == []


async def test_rooms_do_not_wait_for_each_other(store: Store) -> None:
    await room(store, "a1", "a2", severity=2)
    await room(store, "b1", severity=2)
    assert sorted(claim.key for claim in await take(store)) == ["a1", "b1"]


async def test_an_earlier_post_that_waits_for_a_moment_is_not_passed_by(store: Store, clock: Clock) -> None:
    await room(store, "first", "second")
    [first] = await take(store)
    await later(store, first)
    assert await take(store) == []
    clock.advance(TOGETHER)
    [again] = await take(store)
    assert again.key == "first"


async def test_an_earlier_post_that_is_put_off_or_given_up_holds_nobody_up(store: Store, clock: Clock) -> None:
    await room(store, "first", "second", "third")
    [first] = await take(store)
    async with store.unit() as unit:
        await intents.settle_later(unit, first, "a", after=TOGETHER * 10, why="not now", uncertain=False)
    [second] = await take(store)
    await never(store, second)
    [third] = await take(store)
    assert (second.key, third.key) == ("second", "third")


async def test_a_killed_process_s_post_is_taken_over_before_the_next_one(store: Store, clock: Clock) -> None:
    await room(store, "first", "second")
    await take(store, "killed")
    assert await take(store, "b") == []
    clock.advance(LEASE)
    [claim] = await take(store, "b")
    assert (claim.key, claim.uncertain) == ("first", True)


async def test_many_posts_to_one_room_are_made_in_order_without_waiting_for_polls(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.runner.POLL", 60.0)
    keys = [f"p{n:02}" for n in range(20)]
    await room(store, *keys)
    made: list[str] = []

    async def post(claim: intents.Claim) -> Outcome:
        await asyncio.sleep(random.random() / 200)
        made.append(claim.key)
        return Done()

    async def nobody(*_: object) -> None:
        return None

    runner = Runner(store, {IntentKind.POST: post}, owner="a", gave_up=nobody)
    task = asyncio.create_task(runner.run())
    await until(lambda: len(made) == len(keys))
    await runner.stop()
    await task
    assert made == keys


# The clock steps


async def test_a_clock_that_steps_back_an_hour_freezes_no_surface(store: Store, clock: Clock) -> None:
    async with store.unit() as unit:
        await unit.show(await open_incident(unit, channel_id="C1"), SurfaceKind.CARD)
    [claim] = await take(store)
    await done(store, claim)
    clock.advance(hours=-1)
    async with store.unit() as unit:
        unit.record(await unit.incident(1), Happened.NOTE, SYSTEM, text="x")
    [again] = await take(store)
    assert again.key == claim.key
    clock.advance(milliseconds=10)
    await done(store, again)
    async with store.unit() as unit:
        unit.record(await unit.incident(1), Happened.NOTE, SYSTEM, text="y")
    assert await take(store) == [], "the spacing still holds"
    clock.advance(SPACING)
    assert len(await take(store)) == 1


async def test_a_clock_that_steps_forward_does_not_make_a_process_double_its_own_work(
    store: Store, clock: Clock
) -> None:
    await intend(store, "k", "other")
    begun: list[str] = []
    go = asyncio.Event()

    async def slow(claim: intents.Claim) -> Outcome:
        begun.append(claim.key)
        await go.wait()
        return Done()

    async def nobody(*_: object) -> None:
        return None

    runner = Runner(store, {IntentKind.SHOW: slow}, owner="a", gave_up=nobody)
    task = asyncio.create_task(runner.run())
    await until(lambda: len(begun) == 2)
    clock.advance(hours=1)
    await intend(store, "third")
    await until(lambda: len(begun) == 3)
    go.set()
    await runner.stop()
    await task
    assert sorted(begun) == ["k", "other", "third"]
    async with store.read() as session:
        assert {str(state) for state in (await session.exec(select(Intent.state))).all()} == {"done"}


async def test_after_a_step_back_nothing_is_lost_and_nothing_done_twice(store: Store, clock: Clock) -> None:
    await intend(store, "k")
    [claim] = await take(store)
    clock.advance(hours=-1)
    assert await take(store, "b") == []
    assert await done(store, claim)
    clock.advance(hours=2)
    assert await take(store, "b") == []


# Everything again


async def test_a_resync_shows_everything_again_at_once_though_nothing_changed(store: Store, clock: Clock) -> None:
    async with store.unit() as unit:
        incident = await open_incident(unit, channel_id="C1")
        for kind in (SurfaceKind.CARD, SurfaceKind.PANEL, SurfaceKind.TOPIC):
            await unit.show(incident, kind)
        await unit.flush()
    first, second, third = await take(store)
    await done(store, first)
    await later(store, second)
    clock.advance(minutes=1)
    async with store.unit() as unit:
        await unit.session.exec(
            update(Intent).where(col(Intent.key) == second.key).values(due_at=clock.now + timedelta(hours=1))
        )
    async with store.unit() as unit:
        assert await resync(unit, 1) == 3
    assert {claim.key for claim in await take(store, "b")} == {first.key, second.key, third.key}
    assert (await stored(store, third.key)).uncertain
