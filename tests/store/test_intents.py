"""Leases: one holder at a time, nothing lost, surfaces sent again but not too often (law 3). And any interleaving of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlmodel import col, delete, select

from bot.incident.incident import SYSTEM
from bot.incident.outward import PRIORITY, Intent, IntentKind, IntentState, SurfaceKind
from bot.incident.timeline import Happened
from bot.store import Store, intents
from bot.store.intents import LEASE, SPACING, Claim
from bot.store.unit import rearm
from tests.conftest import Clock, open_incident

T = TypeVar("T")


async def intend(store: Store, *keys: str, kind: IntentKind = IntentKind.SHOW) -> None:
    async with store.unit() as unit:
        for key in keys:
            await unit.intend(kind, key)


async def stored(store: Store, key: str) -> Intent:
    async with store.read() as session:
        return (await session.exec(select(Intent).where(Intent.key == key))).one()


async def take(store: Store, owner: str = "a", limit: int = 10) -> list[Claim]:
    return await intents.claim(store, owner, limit=limit)


async def done(store: Store, claim: Claim, owner: str = "a") -> bool:
    async with store.unit() as unit:
        return await intents.settle_done(unit, claim, owner)


async def later(store: Store, claim: Claim, owner: str = "a", *, uncertain: bool = False) -> bool:
    async with store.unit() as unit:
        return await intents.settle_later(
            unit, claim, owner, after=timedelta(seconds=2), why="not now", uncertain=uncertain
        )


async def never(store: Store, claim: Claim, owner: str = "a") -> bool:
    async with store.unit() as unit:
        return await intents.settle_never(unit, claim, owner, why="it cannot")


async def again(store: Store, key: str) -> None:
    async with store.unit() as unit:
        await unit.session.exec(rearm(unit.now, col(Intent.key) == key))


async def test_of_many_claimers_each_intent_has_one_holder(store: Store, database_url: str, clock: Clock) -> None:
    await intend(store, *(f"k{n:02}" for n in range(40)))
    others = [Store(database_url, now=clock) for _ in range(2)]
    taken = await asyncio.gather(*(take(to, f"p{n}", limit=7) for n, to in enumerate([store, *others] * 4)))
    for other in others:
        await other.close()
    keys = [claim.key for claims in taken for claim in claims] + [claim.key for claim in await take(store, limit=40)]
    assert sorted(keys) == [f"k{n:02}" for n in range(40)]


async def test_what_is_held_is_not_claimed_before_its_lease_ends(store: Store, clock: Clock) -> None:
    await intend(store, "k")
    (claim,) = await take(store, "a")
    clock.advance(LEASE - timedelta(microseconds=1))
    assert await take(store, "b") == []
    clock.advance(microseconds=1)
    (over,) = await take(store, "b")
    assert (claim.uncertain, over.uncertain) == (False, True)
    assert (claim.attempt, over.attempt) == (1, 2)


async def test_who_lost_the_lease_settles_nothing(store: Store, clock: Clock) -> None:
    await intend(store, "k")
    (lost,) = await take(store, "a")
    clock.advance(LEASE)
    (held,) = await take(store, "b")
    for settle in (done, later, never):
        assert not await settle(store, lost, "a")
    assert (await stored(store, "k")).state is IntentState.SENDING
    assert await done(store, held, "b")
    assert not await never(store, lost, "a")
    assert (await stored(store, "k")).state is IntentState.DONE


async def test_who_comes_back_long_after_does_not_settle_its_own_newer_claim(store: Store, clock: Clock) -> None:
    """The same process, stopped and continued: its first attempt and its later one have the same owner and number."""
    await intend(store, "k")
    (lost,) = await take(store, "a")
    clock.advance(LEASE)
    (held,) = await take(store, "b")
    assert await done(store, held, "b")
    clock.advance(LEASE)
    await again(store, "k")
    (newer,) = await take(store, "a")
    assert (newer.attempt, newer.generation) == (1, 2)
    assert not await later(store, lost, "a")
    assert await done(store, newer, "a")


async def test_an_uncertain_attempt_stays_uncertain_until_it_is_settled(store: Store, clock: Clock) -> None:
    await intend(store, "k")
    (claim,) = await take(store)
    await later(store, claim, uncertain=True)
    clock.advance(seconds=2)
    (second,) = await take(store)
    assert second.uncertain
    await done(store, second)
    await again(store, "k")
    clock.advance(SPACING)
    (third,) = await take(store)
    assert not third.uncertain


async def test_a_retry_is_due_exactly_when_the_handler_said(store: Store, clock: Clock) -> None:
    await intend(store, "k")
    (claim,) = await take(store)
    await later(store, claim)
    assert (await stored(store, "k")).due_at == clock.now + timedelta(seconds=2)
    clock.advance(timedelta(seconds=2) - timedelta(microseconds=1))
    assert await take(store) == []
    clock.advance(microseconds=1)
    assert len(await take(store)) == 1


async def test_a_surface_that_changes_while_it_is_sent_is_sent_again_a_second_later(store: Store, clock: Clock) -> None:
    await intend(store, "k")
    (claim,) = await take(store)
    await again(store, "k")
    assert await take(store, "b") == [], "it is in hand: nobody sends it beside"
    clock.advance(milliseconds=100)
    await done(store, claim)
    assert (await stored(store, "k")).state is IntentState.PENDING
    clock.advance(SPACING - timedelta(microseconds=1))
    assert await take(store) == []
    clock.advance(microseconds=1)
    (second,) = await take(store)
    assert second.generation == 2
    await done(store, second)
    assert (await stored(store, "k")).state is IntentState.DONE


async def test_many_changes_become_one_update(store: Store, clock: Clock) -> None:
    async with store.unit() as unit:
        await unit.show(await open_incident(unit, channel_id="C1"), SurfaceKind.CARD)
    (first,) = await take(store)
    await done(store, first)
    for n in range(10):
        clock.advance(milliseconds=10)
        async with store.unit() as unit:
            unit.record(await unit.incident(1), Happened.NOTE, SYSTEM, text=str(n))
    assert await take(store) == [], "the last update is less than a second old"
    clock.advance(SPACING)
    (second,) = await take(store)
    assert await take(store) == []
    await done(store, second)
    clock.advance(LEASE)
    assert await take(store) == []


async def test_a_change_in_a_quiet_room_is_shown_at_once(store: Store, clock: Clock) -> None:
    async with store.unit() as unit:
        await unit.show(await open_incident(unit, channel_id="C1"), SurfaceKind.CARD)
    (first,) = await take(store)
    await done(store, first)
    clock.advance(minutes=1)
    async with store.unit() as unit:
        unit.refresh(await unit.incident(1))
    assert len(await take(store)) == 1


async def test_a_change_does_not_hurry_a_surface_that_is_told_to_wait(store: Store, clock: Clock) -> None:
    await intend(store, "k")
    (claim,) = await take(store)
    await later(store, claim)
    await again(store, "k")
    assert await take(store) == []
    clock.advance(seconds=2)
    (second,) = await take(store)
    assert second.generation == 2


async def test_what_was_given_up_is_tried_afresh_when_it_changes(store: Store, clock: Clock) -> None:
    await intend(store, "k")
    (claim,) = await take(store)
    await never(store, claim)
    clock.advance(LEASE)
    assert await take(store) == []
    await again(store, "k")
    (second,) = await take(store)
    assert second.attempt == 1


async def test_only_surfaces_are_shown_anew(store: Store) -> None:
    async with store.unit() as unit:
        incident = await open_incident(unit, channel_id="C1")
        await unit.intend(IntentKind.POST, "post", incident=incident)
    (post,) = await take(store)
    await done(store, post)
    async with store.unit() as unit:
        unit.record(await unit.incident(1), Happened.NOTE, SYSTEM, text="more")
    assert (await stored(store, "post")).state is IntentState.DONE


async def test_containment_comes_before_rooms_before_surfaces_and_the_worst_before_the_rest(store: Store) -> None:
    async with store.unit() as unit:
        minor = await open_incident(unit, severity=4, channel_id="C4")
        worst = await open_incident(unit, severity=1, channel_id="C1")
        for incident in (minor, worst):
            for kind in sorted(IntentKind, key=PRIORITY.__getitem__, reverse=True):
                await unit.intend(kind, f"{kind}:{incident.severity}", incident=incident)
        for order in (2, 1, 0):
            await unit.intend(IntentKind.SHOW, f"show{order}:4", incident=minor, order=order)
    keys = [claim.key for claim in await take(store, limit=50)]
    assert set(keys[:4]) == {"execute:1", "revert:1", "execute:4", "revert:4"}
    assert {key[-1] for key in keys[:2]} == {"1"}
    assert keys[4:6] == ["open_room:1", "open_room:4"]
    assert keys[6] == "show:1"
    assert keys.index("show0:4") < keys.index("show1:4") < keys.index("show2:4") < keys.index("invite:1")
    assert keys[-2:] == ["track:1", "track:4"]


async def test_what_a_dead_process_held_comes_before_a_backlog_and_after_containment(
    store: Store, clock: Clock
) -> None:
    await intend(store, "chatter", kind=IntentKind.NOTICE)
    await take(store, "dead")
    clock.advance(LEASE)
    await intend(store, *(f"surface{n:02}" for n in range(30)))
    await intend(store, "contain", kind=IntentKind.EXECUTE)
    assert [claim.key for claim in await intents.claim(store, "a", limit=2, fair=False)] == ["contain", "chatter"]


async def test_of_equals_the_oldest_comes_first(store: Store, clock: Clock) -> None:
    for key in ("first", "second", "third"):
        await intend(store, key)
        clock.advance(seconds=1)
    assert [claim.key for claim in await take(store, limit=2)] == ["first", "second"]


async def test_a_process_claims_only_what_it_can_carry_out(store: Store) -> None:
    await intend(store, "post", kind=IntentKind.POST)
    await intend(store, "run", kind=IntentKind.EXECUTE)
    (claim,) = await intents.claim(store, "a", limit=5, kinds=(IntentKind.EXECUTE,))
    assert claim.key == "run"


async def test_what_is_given_back_is_there_for_the_next_at_once(store: Store) -> None:
    await intend(store, "mine", "yours")
    mine = await take(store, "a", limit=1)
    yours = await take(store, "b", limit=1)
    await intents.release(store, "a", [claim.id for claim in (*mine, *yours)])
    (claim,) = await take(store, "c")
    assert (claim.key, claim.uncertain) == ("mine", True)
    assert not await done(store, mine[0], "a")
    await intents.release(store, "a", [])


@dataclass
class Expected:
    """What the machine believes about one intent."""

    state: IntentState = IntentState.PENDING
    asked: int = 1
    shown: int = 0
    holder: str | None = None
    claim: Claim | None = None
    shown_at: datetime | None = None
    maybe_outside: bool = False
    old: list[tuple[str, Claim]] = field(default_factory=list)
    """Claims that lost their lease and may still come back."""


class Leases(RuleBasedStateMachine):
    """Claim, crash, takeover, success, failure, give-back, change, in any order, by three processes on one database."""

    def __init__(self, database_url: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = Clock()
        self.store = Store(database_url, now=self.clock)
        self.known: dict[str, Expected] = {}
        self.run(self._empty)

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        async def working() -> T:
            return await work()

        return self.runner.run(working())

    async def _empty(self) -> None:
        async with self.store.unit() as unit:
            await unit.session.exec(delete(Intent))

    @rule(key=st.sampled_from(["x", "y", "z"]))
    def wanted(self, key: str) -> None:
        self.run(lambda: intend(self.store, key))
        self.known.setdefault(key, Expected())

    @rule(owner=st.sampled_from("abc"), limit=st.integers(1, 3))
    def claims(self, owner: str, limit: int) -> None:
        self.clock.advance(
            microseconds=1
        )  # no process claims twice in one instant: the lease's end tells its claims apart
        for claim in self.run(lambda: take(self.store, owner, limit)):
            expected = self.known[claim.key]
            if expected.state is IntentState.SENDING:
                assert expected.claim is not None and expected.claim.until <= self.clock.now, "two holders at once"
                assert claim.uncertain, "a takeover must look before it repeats"
                expected.old.append((expected.holder or "", expected.claim))
                expected.maybe_outside = True
            else:
                assert expected.state is IntentState.PENDING, "what is settled was claimed again"
            assert claim.uncertain == expected.maybe_outside
            if expected.shown_at is not None and expected.shown < claim.generation:
                assert self.clock.now >= expected.shown_at + SPACING or expected.state is IntentState.SENDING
            expected.state, expected.holder, expected.claim = IntentState.SENDING, owner, claim

    @rule(seconds=st.sampled_from([0.4, 1.0, 2.0, 15.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)

    def _in_hand(self) -> list[Expected]:
        return [expected for expected in self.known.values() if expected.state is IntentState.SENDING]

    @precondition(lambda self: self._in_hand())
    @rule(data=st.data(), outcome=st.sampled_from(["done", "later", "uncertain", "never", "give back"]))
    def ends(self, data: st.DataObject, outcome: str) -> None:
        expected = data.draw(st.sampled_from(self._in_hand()), label="intent")
        holder, claim = expected.holder, expected.claim
        assert holder is not None and claim is not None
        if outcome == "done":
            assert self.run(lambda: done(self.store, claim, holder))
            expected.shown, expected.shown_at, expected.maybe_outside = claim.generation, self.clock.now, False
            expected.state = IntentState.DONE if claim.generation == expected.asked else IntentState.PENDING
        elif outcome == "never":
            assert self.run(lambda: never(self.store, claim, holder))
            expected.state = IntentState.GIVEN_UP
        elif outcome == "give back":
            self.run(lambda: intents.release(self.store, holder, [claim.id]))
            expected.state, expected.maybe_outside = IntentState.PENDING, True
        else:
            assert self.run(lambda: later(self.store, claim, holder, uncertain=outcome == "uncertain"))
            expected.state, expected.maybe_outside = IntentState.PENDING, outcome == "uncertain"
        expected.old.append((holder, claim))

    @precondition(lambda self: any(expected.old for expected in self.known.values()))
    @rule(data=st.data(), settle=st.sampled_from([done, later, never]))
    def comes_back_late(self, data: st.DataObject, settle: Callable[[Store, Claim, str], Awaitable[bool]]) -> None:
        everything = [old for expected in self.known.values() for old in expected.old]
        holder, claim = data.draw(st.sampled_from(everything), label="lost claim")
        assert not self.run(lambda: settle(self.store, claim, holder)), "a lost lease settled something"

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def changes(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.known)), label="intent")
        self.run(lambda: again(self.store, key))
        expected = self.known[key]
        expected.asked += 1
        if expected.state in {IntentState.DONE, IntentState.GIVEN_UP}:
            expected.state = IntentState.PENDING

    @invariant()
    def the_store_agrees(self) -> None:
        for key, expected in self.known.items():
            row = self.run(lambda key=key: stored(self.store, key))
            assert (row.state, row.generation) == (expected.state, expected.asked)

    def teardown(self) -> None:
        try:
            self.run(self._finish)
            self.the_store_agrees()
        finally:
            self.run(self.store.close)
            self.runner.close()

    async def _finish(self) -> None:
        """Everybody died; one process comes back. All that was asked for is shown, except what was given up."""
        for _ in range(8):
            self.clock.advance(LEASE)
            for claim in await take(self.store, "survivor"):
                assert await done(self.store, claim, "survivor")
                self.known[claim.key].shown = claim.generation
        for expected in self.known.values():
            if expected.state is not IntentState.GIVEN_UP:
                assert expected.shown == expected.asked, "a change was lost"
                expected.state = IntentState.DONE


@pytest.mark.parametrize("steps", [30])
def test_leases_hold_in_any_interleaving(database_url: str, steps: int) -> None:
    examples = 40 if database_url.startswith("sqlite") else 25
    run_state_machine_as_test(
        lambda: Leases(database_url), settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    )
