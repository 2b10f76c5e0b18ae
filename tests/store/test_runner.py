"""The runner: every outcome is settled, nothing is lost silently, and it stops without leaving leases behind (law 3)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from bot.incident.outward import Intent, IntentKind, IntentState
from bot.store import Store, Unit, runner
from bot.store.intents import LEASE, Claim
from bot.store.runner import ATTEMPTS, BACKOFF_CAP, Done, Handler, Later, Never, Outcome, Runner, backoff
from tests.conftest import Clock
from tests.store.test_intents import intend, stored, take


async def until(condition: Callable[[], Awaitable[bool]] | Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.005)


async def settled(store: Store, key: str, state: IntentState) -> Intent:
    async def there() -> bool:
        return (await stored(store, key)).state is state

    await until(there)
    return await stored(store, key)


class Hands:
    """A handler that answers what it is told to, and remembers what it was handed."""

    def __init__(self, *outcomes: Outcome | BaseException) -> None:
        self.outcomes, self.claims = list(outcomes), list[Claim]()
        self.given_up: list[tuple[str, str]] = []

    async def __call__(self, claim: Claim) -> Outcome:
        self.claims.append(claim)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    async def gave_up(self, _: Unit, claim: Claim, why: str) -> None:
        self.given_up.append((claim.key, why))


@contextlib.asynccontextmanager
async def running(store: Store, handler: Handler, gave_up: Any = None) -> AsyncIterator[Runner]:
    hook = gave_up or getattr(handler, "gave_up", Hands().gave_up)
    made = Runner(store, {IntentKind.SHOW: handler}, owner="a", gave_up=hook)
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        await made.stop(within=0.05)
        await task


async def test_what_is_known_is_written_in_the_transaction_that_settles(store: Store) -> None:
    async def record(unit: Unit) -> None:
        await unit.intend(IntentKind.POST, "what follows")

    hands = Hands(Done(record))
    await intend(store, "k")
    async with running(store, hands):
        row = await settled(store, "k", IntentState.DONE)
    assert row.settled_at == store.now()
    assert (await stored(store, "what follows")).state is IntentState.PENDING


async def test_a_commit_wakes_the_runner_without_a_poll(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "POLL", 60.0)
    hands = Hands(Done())
    async with running(store, hands):
        await asyncio.sleep(0)
        await intend(store, "k")
        await settled(store, "k", IntentState.DONE)


async def test_what_failed_is_tried_again_after_a_while(store: Store, clock: Clock) -> None:
    hands = Hands(Later("not now"), Later("still not", uncertain=True), Done())
    await intend(store, "k")
    async with running(store, hands):
        for attempt in (1, 2):
            await until(lambda attempt=attempt: len(hands.claims) == attempt)
            row = await settled(store, "k", IntentState.PENDING)
            assert timedelta(0) < row.due_at - clock.now <= timedelta(seconds=BACKOFF_CAP)
            clock.now = row.due_at
        await settled(store, "k", IntentState.DONE)
    assert [(claim.attempt, claim.uncertain) for claim in hands.claims] == [(1, False), (2, False), (3, True)]


async def test_a_time_that_the_other_side_named_is_kept_exactly(store: Store, clock: Clock) -> None:
    hands = Hands(Later("rate limited", after=timedelta(seconds=37)))
    await intend(store, "k")
    async with running(store, hands):
        await until(lambda: len(hands.claims) == 1)
        row = await settled(store, "k", IntentState.PENDING)
    assert (row.due_at, row.error) == (clock.now + timedelta(seconds=37), "rate limited")


async def test_waiting_costs_no_attempt(store: Store, clock: Clock) -> None:
    hands = Hands(*[Later("no room yet", after=timedelta(seconds=1), counts=False)] * 3, Done())
    await intend(store, "k")
    async with running(store, hands):
        for n in range(1, 4):
            await until(lambda n=n: len(hands.claims) == n)
            await settled(store, "k", IntentState.PENDING)
            clock.advance(seconds=1)
        await settled(store, "k", IntentState.DONE)
    assert {claim.attempt for claim in hands.claims} == {1}


async def test_an_exception_may_have_acted_outside(store: Store, clock: Clock) -> None:
    hands = Hands(RuntimeError("connection reset"), Done())
    await intend(store, "k")
    async with running(store, hands):
        await until(lambda: len(hands.claims) == 1)
        row = await settled(store, "k", IntentState.PENDING)
        assert row.error == "RuntimeError", "what an exception says may hold a secret"
        clock.now = row.due_at
        await settled(store, "k", IntentState.DONE)
    assert hands.claims[1].uncertain


async def test_an_attempt_that_takes_too_long_is_ended_and_uncertain(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "TIMEOUT", 0.05)
    ended: list[str] = []

    async def hangs(claim: Claim) -> Outcome:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(claim.key)
        return Done()

    await intend(store, "k")
    async with running(store, hangs):
        await until(lambda: ended == ["k"])
        row = await settled(store, "k", IntentState.PENDING)
    assert (row.uncertain, row.error) == (True, "it took too long")


async def test_a_record_that_fails_is_retried_as_uncertain_and_leaves_nothing(store: Store, clock: Clock) -> None:
    async def record(unit: Unit) -> None:
        await unit.intend(IntentKind.POST, "half")
        await unit.incident(404)

    hands = Hands(Done(record), Done())
    await intend(store, "k")
    async with running(store, hands):
        await until(lambda: len(hands.claims) == 1)
        row = await settled(store, "k", IntentState.PENDING)
        assert row.uncertain
        clock.now = row.due_at
        await settled(store, "k", IntentState.DONE)
    async with store.read() as session:
        assert (await session.exec(select(Intent.key))).all() == ["k"]


async def test_it_gives_up_after_so_many_attempts_and_says_so(store: Store) -> None:
    hands = Hands(Later("Slack is away"))
    await intend(store, "k")
    async with store.unit() as unit:
        await unit.session.exec(update(Intent).where(col(Intent.key) == "k").values(attempts=ATTEMPTS - 1))
    async with running(store, hands):
        row = await settled(store, "k", IntentState.GIVEN_UP)
    assert hands.given_up == [("k", f"Slack is away, after {ATTEMPTS} attempts")]
    assert row.error == hands.given_up[0][1]


async def test_what_cannot_happen_is_given_up_at_once_with_what_follows(store: Store) -> None:
    async def record(unit: Unit) -> None:
        await unit.intend(IntentKind.POST, "what follows")

    hands = Hands(Never("no such channel", record))
    await intend(store, "k")
    async with running(store, hands):
        await settled(store, "k", IntentState.GIVEN_UP)
    assert hands.given_up == [("k", "no such channel")]
    assert (await stored(store, "what follows")).state is IntentState.PENDING


async def test_a_lease_that_was_lost_records_nothing(store: Store, clock: Clock) -> None:
    go, begun = asyncio.Event(), asyncio.Event()
    recorded: list[str] = []

    async def record(_: Unit) -> None:
        recorded.append("late")

    async def slow(_: Claim) -> Outcome:
        begun.set()
        await go.wait()
        return Done(record)

    await intend(store, "k")
    made = Runner(store, {IntentKind.SHOW: slow}, owner="a", gave_up=Hands().gave_up)
    task = asyncio.create_task(made.run())
    await begun.wait()
    clock.advance(LEASE)
    await made.stop(within=0)
    await task
    (over,) = await take(store, "b")
    assert over.uncertain
    await made.settle(over, Done(record))
    assert recorded == []
    assert (await stored(store, "k")).lease_owner == "b"


async def test_stop_lets_finish_what_it_can_and_gives_back_the_rest(store: Store) -> None:
    slow, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def handler(claim: Claim) -> Outcome:
        begun.release()
        await (slow.wait() if claim.key == "slow" else asyncio.Event().wait())
        return Done()

    await intend(store, "slow", "hangs")
    made = Runner(store, {IntentKind.SHOW: handler}, owner="a", gave_up=Hands().gave_up)
    task = asyncio.create_task(made.run())
    await begun.acquire()
    await begun.acquire()
    stopping = asyncio.create_task(made.stop(within=0.5))
    slow.set()
    await stopping
    await task
    assert (await stored(store, "slow")).state is IntentState.DONE
    left = await stored(store, "hangs")
    assert (left.state, left.lease_owner, left.uncertain) == (IntentState.PENDING, None, True)


async def test_a_stopped_runner_claims_nothing_more(store: Store) -> None:
    hands = Hands()
    async with running(store, hands) as made:
        await made.stop()
        await intend(store, "k")
    assert hands.claims == []
    assert (await stored(store, "k")).state is IntentState.PENDING


async def test_two_runners_share_the_work_and_do_none_of_it_twice(
    store: Store, database_url: str, clock: Clock
) -> None:
    other = Store(database_url, now=clock)
    hands = Hands(*[Done()] * 60)
    await intend(store, *(f"k{n:02}" for n in range(60)))
    second = Runner(other, {IntentKind.SHOW: hands}, owner="b", gave_up=hands.gave_up)
    task = asyncio.create_task(second.run())

    async def all_done() -> bool:
        async with store.read() as session:
            return set((await session.exec(select(Intent.state))).all()) == {IntentState.DONE}

    async with running(store, hands):
        await until(all_done)
    await second.stop()
    await task
    await other.close()
    assert sorted(claim.key for claim in hands.claims) == [f"k{n:02}" for n in range(60)]


def test_the_wait_grows_and_has_an_end() -> None:
    waits = [max(backoff(attempt) for _ in range(50)) for attempt in range(1, 12)]
    assert waits[0] <= timedelta(seconds=1)
    assert all(wait <= timedelta(seconds=BACKOFF_CAP) for wait in waits)
    assert waits[-1] > timedelta(seconds=BACKOFF_CAP / 2)
    assert len({backoff(5) for _ in range(20)}) > 1, "those that failed together must not return together"


async def test_a_kind_that_waits_for_its_limit_again_and_again_keeps_no_other_from_going(store: Store) -> None:
    async def paced(claim: Claim) -> Outcome:
        return Later("waits for Slack's rate limit", after=timedelta(microseconds=-1), counts=False)

    async def done(claim: Claim) -> Outcome:
        return Done()

    async with store.unit() as unit:
        for number in range(60):
            await unit.intend(IntentKind.SHOW, f"show {number}")
        for number in range(10):
            await unit.intend(IntentKind.DIRECT, f"direct {number}")
    handlers = {IntentKind.SHOW: paced, IntentKind.DIRECT: done}
    made = Runner(store, handlers, owner="a", gave_up=Hands().gave_up)
    task = asyncio.create_task(made.run())
    try:
        for number in range(10):
            await settled(store, f"direct {number}", IntentState.DONE)
    finally:
        await made.stop()
        await task
