from __future__ import annotations

import pytest

from bot.cases import attempt, decide, execute, revert
from bot.cases.acknowledge import acknowledge
from bot.cases.recovery import Decided
from bot.incident.caller import Caller
from bot.incident.errors import Refused, Repeated
from bot.incident.incident import person
from bot.incident.outward import IntentKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionKind, ActionState, ScopeKind
from bot.store import Store
from bot.store.intents import LEASE
from bot.store.runner import Later
from tests import opened as case
from tests.cases.containing import ALICE, BOB, GUEST, Room, room, with_connector
from tests.conftest import Clock

K, C, S = ActionKind, ScopeKind, ActionState
MINUTE = 61


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "PAUSES", (0.0,))


async def in_force(inc: Room) -> int:
    index = await inc.propose()
    await decide.approve(inc.ctx, ALICE, inc.number, index=index)
    await inc.work()
    assert (await inc.action(index)).state is S.VERIFIED
    return index


async def test_what_is_in_force_is_reverted_and_that_is_verified(store: Store) -> None:
    async with room(store) as inc:
        index = await in_force(inc)
        assert "is being reverted" in await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        await inc.work()
        action = await inc.action(index)
        assert (action.state, action.revert_asked_by) == (S.REVERTED, "U0ALICE")
        assert action.reverted_at is not None
        assert "no longer in force" in (action.result or "")
        assert not inc.far.in_force
        kinds = [e.kind for e in await inc.timeline(Happened.REVERT_ASKED, Happened.ACTION_REVERTED)]
        assert kinds == [Happened.REVERT_ASKED, Happened.ACTION_REVERTED]


@pytest.mark.parametrize(("caller", "words"), [(BOB, "Only the commander"), (GUEST, "full member")])
async def test_only_who_may_approve_may_revert(store: Store, caller: Caller, words: str) -> None:
    async with room(store) as inc:
        index = await in_force(inc)
        with pytest.raises(Refused, match=words):
            await revert.ask_revert(inc.ctx, caller, inc.number, index=index)
        assert not await inc.pending()


async def test_pressing_twice_tells_who_asked(store: Store) -> None:
    async with room(store) as inc:
        index = await in_force(inc)
        caller = Caller(person("U0ALICE"), inbound="press:1")
        first = await revert.ask_revert(inc.ctx, caller, inc.number, index=index)
        with pytest.raises(Repeated) as again:
            await revert.ask_revert(inc.ctx, caller, inc.number, index=index)
        assert again.value.answer == first
        with pytest.raises(Refused, match="is being reverted already: <@U0ALICE> asked at 09:00 UTC"):
            await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        await inc.work()
        with pytest.raises(Refused, match="was reverted: <@U0ALICE> asked at 09:00 UTC"):
            await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        assert len(await case.intents(store, inc.number, IntentKind.REVERT)) == 1


async def test_what_is_not_in_force_or_has_no_way_back_is_not_reverted(store: Store) -> None:
    async with room(store) as inc:
        waiting = await inc.propose(target="waits")
        with pytest.raises(Refused, match="nothing in force to revert"):
            await revert.ask_revert(inc.ctx, ALICE, inc.number, index=waiting)
        final = await inc.propose(K.ROTATE_CREDENTIALS, C.CREDENTIAL, "payments")
        await decide.approve(inc.ctx, ALICE, inc.number, index=final, reason="it is in use")
        shown = (await inc.action(final)).digest
        await decide.approve(inc.ctx, BOB, inc.number, index=final, digest=shown)
        await inc.work()
        with pytest.raises(Refused, match="cannot be undone"):
            await revert.ask_revert(inc.ctx, ALICE, inc.number, index=final)


@pytest.mark.parametrize("fault", ["refuse", "lie"])
async def test_a_revert_that_fails_leaves_it_in_force_says_so_and_can_be_asked_again(store: Store, fault: str) -> None:
    async with room(store) as inc:
        index = await in_force(inc)
        for time in (1, 2):
            inc.far.revert_faults.append(fault)
            await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
            await inc.work()
            action = await inc.action(index)
            assert (action.state, action.revert_asked_at) == (S.VERIFIED, None)
            assert "It remains in force" in (action.result or "")
            assert (await inc.told())[-1] == f"{index}:revert_failed_{time}"
        assert inc.far.in_force
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        await inc.work()
        assert (await inc.action(index)).state is S.REVERTED


async def test_a_revert_without_an_answer_is_settled_by_looking(store: Store) -> None:
    async with room(store) as inc:
        index = await in_force(inc)
        inc.far.revert_faults.append("error_after")
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        await inc.work()
        assert (await inc.action(index)).state is S.REVERTED


async def test_a_revert_that_was_answered_500_and_not_done_is_sent_again(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        index = await in_force(inc)
        inc.far.revert_faults.append("error_before")
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        await inc.work()
        assert (await inc.action(index)).state is S.VERIFIED and inc.far.in_force
        clock.advance(seconds=MINUTE)
        await inc.work()
        assert (await inc.action(index)).state is S.REVERTED and not inc.far.in_force


async def test_a_revert_that_stays_unknown_is_said_and_may_be_asked_again(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        index = await in_force(inc)
        inc.far.verify_answers += [500] * 100
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        for _ in range(attempt.ATTEMPTS):
            await inc.work()
            clock.advance(seconds=MINUTE)
        action = await inc.action(index)
        assert (action.state, action.revert_asked_at) == (S.UNKNOWN, None)
        assert "Nobody knows whether it was reverted" in (action.result or "")
        assert await inc.told() == [f"{index}:revert_failed_1"]
        inc.far.verify_answers.clear()
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        await inc.work()
        assert (await inc.action(index)).state is S.REVERTED


async def test_a_crash_between_the_revert_and_its_record_is_settled_by_looking(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        index = await in_force(inc)
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        [claim] = await inc.claims("dying")
        await execute.handlers(inc.ctx)[claim.kind](claim)
        clock.advance(LEASE)
        await inc.work("next")
        assert (await inc.action(index)).state is S.REVERTED
        assert [path for path, _, _ in inc.far.asked].count("/revert") == 1


async def test_a_revert_waits_until_the_execution_is_settled(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        inc.far.faults.append("error_after")
        inc.far.verify_answers += [500, 500]
        index = await inc.propose()
        await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        await inc.work()
        assert (await inc.action(index)).state is S.UNKNOWN
        clock.advance(seconds=MINUTE)
        [executing] = await inc.claims("busy")  # a second look is under way
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        [outcome] = await inc.work("other")
        assert isinstance(outcome, Later)
        assert not any(path == "/revert" for path, _, _ in inc.far.asked)
        clock.advance(seconds=MINUTE)  # the busy one died; its work is taken over and stops, then the revert runs
        await inc.work("other")
        clock.advance(seconds=MINUTE)
        await inc.work("other")
        assert (await inc.action(index)).state is S.REVERTED
        assert executing.key == f"execute:{inc.number}:{index}"


async def test_what_is_still_in_force_can_be_reverted_after_the_end(store: Store) -> None:
    async with room(store) as inc:
        index = await in_force(inc)
        await acknowledge(inc.ctx, ALICE, inc.number)
        kept = Decided(keep=frozenset({index}), because="until tomorrow")
        await case.resolve(inc.ctx, ALICE, inc.number, reason="the filter is live", decided=kept)
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        await inc.work()
        assert (await inc.action(index)).state is S.REVERTED


async def test_a_connector_that_left_the_file_leaves_it_in_force_and_says_so(store: Store) -> None:
    async with room(store) as inc:
        index = await in_force(inc)
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        inc.ctx = with_connector(inc.ctx, None)
        await inc.work()
        action = await inc.action(index)
        assert action.state is S.VERIFIED
        assert "undo it there by hand" in (action.result or "")
