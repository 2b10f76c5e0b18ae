"""One target contained for two incidents: it is lifted when the last of them is reverted, and proven by behaviour."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from bot.cases import attempt, decide, execute, revert, roles, undo
from bot.cases.gave_up import gave_up
from bot.incident.outward import IntentKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionState, Role, Severity
from bot.practice.ai_app import PracticeAiApp
from bot.store import Store
from bot.store.intents import LEASE, Claim
from bot.store.runner import Done, Later, Runner
from tests import opened as case
from tests.cases.containing import ALICE, Room, room, with_connector
from tests.conftest import Clock
from tests.connectors.test_practice import practice

S = ActionState


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "PAUSES", (0.0,))


async def beside(inc: Room) -> Room:
    """A second incident with the same people and the same connector."""
    number = await case.opened(inc.ctx, Severity.SEV1, user="trudy")
    await roles.assign(inc.ctx, ALICE, number, role=Role.COMMANDER, person=ALICE.actor.id)
    return Room(inc.ctx, inc.far, number)


async def approved(inc: Room) -> int:
    index = await inc.propose(target="eve")
    await decide.approve(inc.ctx, ALICE, inc.number, index=index)
    return index


async def contained(inc: Room) -> int:
    index = await approved(inc)
    await inc.work()
    assert (await inc.action(index)).state is S.VERIFIED
    return index


async def lifted(inc: Room, index: int) -> str:
    answer = await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
    await inc.work()
    return answer


@contextlib.asynccontextmanager
async def on_the_practice_app(store: Store) -> AsyncIterator[tuple[Room, Room, PracticeAiApp]]:
    async with room(store) as one, PracticeAiApp() as app:
        connector = practice(app)
        one.ctx = with_connector(one.ctx, connector)
        yield one, await beside(one), app
        await connector.close()


@pytest.mark.parametrize("second_leaves_first", [False, True])
async def test_whoever_reverts_first_the_last_one_really_lifts_it(store: Store, second_leaves_first: bool) -> None:
    async with on_the_practice_app(store) as (one, two, app):
        held = {inc.number: await contained(inc) for inc in (one, two)}
        leaves, stays = (two, one) if second_leaves_first else (one, two)
        leaving, staying = held[leaves.number], held[stays.number]
        assert "so the target stays contained" in await lifted(leaves, leaving)
        action = await leaves.action(leaving)
        assert action.state is S.REVERTED
        assert f"INC-{stays.number} (its action {staying}) contains it as well" in (action.result or "")
        assert await leaves.told() == [f"{leaving}:left_to_another_1"]
        [entry] = await leaves.timeline(Happened.ACTION_REVERTED)
        assert entry.data["left_to"] == f"INC-{stays.number}:{staying}"
        assert (await app.ask("hello", user="eve"))[0] == 403
        assert (await stays.action(staying)).state is S.VERIFIED
        assert "The panel shows when that is verified" in await lifted(stays, staying)
        assert (await stays.action(staying)).state is S.REVERTED
        assert (await app.ask("hello", user="eve"))[0] == 200


async def test_a_system_that_holds_by_key_is_told_one_key_and_ends_free(store: Store) -> None:
    async with room(store) as one:
        two = await beside(one)
        first, second = await contained(one), await contained(two)
        assert list(one.far.in_force.values()) == [[(await one.action(first)).key]], "the second one was not told again"
        [entry] = await two.timeline(Happened.ACTION_EXECUTING)
        assert entry.data["held"] == f"INC-{one.number} (its action {first})"
        await lifted(one, first)
        assert one.far.in_force
        await lifted(two, second)
        assert not one.far.in_force
        assert (await two.action(second)).state is S.REVERTED


async def test_what_turns_out_not_to_hold_is_applied_anew(store: Store) -> None:
    async with room(store) as one:
        two = await beside(one)
        first = await contained(one)
        one.far.in_force.clear()  # somebody lifted it there
        second = await contained(two)
        assert list(one.far.in_force.values()) == [[(await two.action(second)).key]]
        stale = await one.action(first)
        assert stale.state is S.FAILED
        assert f"INC-{two.number} (its action {second}) looked again: it is not in force" in (stale.result or "")
        assert await one.told() == [f"{first}:failed"]
        await lifted(two, second)
        assert not one.far.in_force and (await two.action(second)).state is S.REVERTED


async def test_two_that_begin_at_once_go_back_to_the_state_before_both(store: Store) -> None:
    async with on_the_practice_app(store) as (one, two, app):
        first, second = await approved(one), await approved(two)
        claims = await one.claims()
        assert len(claims) == 2
        await asyncio.gather(*(carried(one, claim) for claim in claims))
        assert {(await one.action(first)).state, (await two.action(second)).state} == {S.VERIFIED}
        await lifted(two, second)
        assert (await app.ask("hello", user="eve"))[0] == 403
        await lifted(one, first)
        assert (await one.action(first)).state is S.REVERTED
        assert (await app.ask("hello", user="eve"))[0] == 200


async def carried(inc: Room, claim: Claim, owner: str = "w1") -> None:
    handlers = execute.handlers(inc.ctx)
    await Runner(inc.store, handlers, owner=owner, gave_up=gave_up).settle(claim, await handlers[claim.kind](claim))


async def test_of_two_who_revert_at_once_exactly_one_is_the_last(store: Store) -> None:
    async with room(store) as one:
        two = await beside(one)
        first, second = await contained(one), await contained(two)
        for inc, index in ((one, first), (two, second)):
            await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        claims = [claim for claim in await one.claims() if claim.kind is IntentKind.REVERT]
        await asyncio.gather(*(carried(one, claim) for claim in claims))
        assert {(await one.action(first)).state, (await two.action(second)).state} == {S.REVERTED}
        assert not one.far.in_force
        assert [path for path, _, _ in one.far.asked].count("/revert") == 1


async def test_who_contains_it_while_it_is_being_lifted_waits_and_then_does_it(store: Store, clock: Clock) -> None:
    async with room(store) as one:
        two = await beside(one)
        first = await contained(one)
        await revert.ask_revert(one.ctx, ALICE, one.number, index=first)
        [lifting] = await one.claims("slow")  # in hand, not yet done
        second = await approved(two)
        [outcome] = await two.work("other")
        assert isinstance(outcome, Later) and not outcome.counts
        assert (await two.action(second)).state is S.APPROVED
        await carried(one, lifting, "slow")
        clock.advance(undo.SOON)
        await two.work("other")
        assert (await two.action(second)).state is S.VERIFIED
        assert list(one.far.in_force.values()) == [[(await two.action(second)).key]]


async def test_a_crash_after_leaving_it_to_another_changes_nothing_more(store: Store, clock: Clock) -> None:
    async with room(store) as one:
        two = await beside(one)
        first, second = await contained(one), await contained(two)
        await revert.ask_revert(one.ctx, ALICE, one.number, index=first)
        [claim] = await one.claims("dying")
        assert isinstance(await execute.handlers(one.ctx)[claim.kind](claim), Done)
        clock.advance(LEASE)
        await one.work("next")
        assert len(await one.timeline(Happened.ACTION_REVERTED)) == 1
        assert (await two.action(second)).state is S.VERIFIED and one.far.in_force


async def test_a_last_revert_that_fails_leaves_it_with_the_last_one(store: Store) -> None:
    async with room(store) as one:
        two = await beside(one)
        first, second = await contained(one), await contained(two)
        await lifted(one, first)
        one.far.revert_faults.append("refuse")
        await lifted(two, second)
        action = await two.action(second)
        assert (action.state, action.revert_asked_at) == (S.VERIFIED, None)
        assert one.far.in_force
        await lifted(two, second)
        assert (await two.action(second)).state is S.REVERTED and not one.far.in_force
