"""A time to live is a question, never a silent end: asked when it is over, and quietly again until somebody decides."""

from __future__ import annotations

import pytest

from bot.cases import attempt, decide, recovery, revert, temporary
from bot.cases.acknowledge import acknowledge
from bot.cases.recovery import Decided
from bot.cases.remind import sweep
from bot.incident.errors import Invalid, Refused
from bot.incident.outward import ReminderKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionState
from bot.store import Store
from tests import opened as case
from tests.cases.containing import ALICE, BOB, Room, room
from tests.conftest import START, Clock

S = ActionState
HOUR = 60


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "PAUSES", (0.0,))


async def in_force(inc: Room) -> int:
    index = await inc.propose()
    await decide.approve(inc.ctx, ALICE, inc.number, index=index)
    await inc.work()
    return index


async def lives(inc: Room, index: int, minutes: int | None) -> str:
    return await temporary.set_time(inc.ctx, ALICE, inc.number, index=index, minutes=minutes)


async def asked(inc: Room) -> list[bool]:
    """For each time that the room was asked: whether it was asked before."""
    said = [args for args in await case.posts(inc.store, inc.number) if args["message"] == "temporary_over"]
    caught = [item for args in await case.posts(inc.store, inc.number) for item in args.get("items", ())]
    return [one["again"] for one in [*said, *caught] if one["message"] == "temporary_over"]


async def test_when_the_time_is_over_the_room_is_asked_again_and_again_and_nothing_ends(
    store: Store, clock: Clock
) -> None:
    async with room(store) as inc:
        index = await in_force(inc)
        assert "2026-03-02 13:00 UTC" in await lives(inc, index, 4 * HOUR)
        clock.advance(minutes=4 * HOUR - 1)
        await sweep(inc.ctx)
        assert await asked(inc) == []
        for _ in range(3):
            clock.advance(minutes=HOUR)
            await sweep(inc.ctx)
        assert await asked(inc) == [False, True, True]
        assert (await inc.action(index)).state is S.VERIFIED and inc.far.in_force
        assert len([e for e in await inc.timeline(Happened.REMINDED) if e.data["about"] == "temporary_over"]) == 1
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        await inc.work()
        clock.advance(minutes=2 * HOUR)
        await sweep(inc.ctx)
        assert len(await asked(inc)) == 3
        assert not await case.reminders(store, inc.number, ReminderKind.TEMPORARY_OVER)


async def test_another_time_and_none_replace_the_one_before(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        index = await in_force(inc)
        await lives(inc, index, HOUR)
        await lives(inc, index, 2 * HOUR)
        await lives(inc, index, 2 * HOUR)
        [pending] = await case.reminders(store, inc.number, ReminderKind.TEMPORARY_OVER)
        assert pending.due_at == START.replace(hour=11)
        assert "no end time any more" in await lives(inc, index, None)
        assert not await case.reminders(store, inc.number, ReminderKind.TEMPORARY_OVER)
        until = [entry.data["until"] for entry in await inc.timeline(Happened.ACTION_TEMPORARY)]
        assert [one and one[11:16] for one in until] == ["10:00", "11:00", None]


async def test_keeping_it_answers_the_question_and_may_put_it_again(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        index = await in_force(inc)
        await lives(inc, index, HOUR)
        clock.advance(minutes=HOUR)
        await sweep(inc.ctx)
        answer = await recovery.keep(inc.ctx, ALICE, inc.number, index=index, reason="not yet", minutes=4 * HOUR)
        assert "asked again at 2026-03-02 14:00 UTC" in answer
        clock.advance(minutes=3 * HOUR)
        await sweep(inc.ctx)
        assert await asked(inc) == [False]
        clock.advance(minutes=HOUR)
        await sweep(inc.ctx)
        assert await asked(inc) == [False, False]
        await recovery.keep(inc.ctx, ALICE, inc.number, index=index, reason="for good")
        clock.advance(minutes=24 * HOUR)
        await sweep(inc.ctx)
        assert await asked(inc) == [False, False]


async def test_a_revert_that_failed_after_the_question_is_asked_about_again(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        index = await in_force(inc)
        await lives(inc, index, HOUR)
        inc.far.revert_faults.append("refuse")
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        clock.advance(minutes=HOUR)
        await sweep(inc.ctx)  # while the answer is on its way
        assert await asked(inc) == []
        await inc.work()
        clock.advance(minutes=HOUR)
        await sweep(inc.ctx)
        assert await asked(inc) == [False]


async def test_what_was_left_in_force_for_a_time_is_asked_about_after_the_end(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        await acknowledge(inc.ctx, ALICE, inc.number)
        index = await in_force(inc)
        await lives(inc, index, 24 * HOUR)
        decided = Decided(keep=frozenset({index}), because="until the account is cleaned")
        await case.resolve(inc.ctx, ALICE, inc.number, reason="done", decided=decided)
        left = {one.kind for one in await case.reminders(store, inc.number)}
        assert left - {ReminderKind.ITEM_DUE} == {ReminderKind.TEMPORARY_OVER}
        clock.advance(minutes=24 * HOUR)
        await sweep(inc.ctx)
        assert await asked(inc) == [False]
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        await inc.work()
        assert (await inc.action(index)).state is S.REVERTED


async def test_only_what_is_in_force_gets_a_time_and_only_from_who_may_approve(store: Store) -> None:
    async with room(store) as inc:
        waiting = await inc.propose(target="waits")
        with pytest.raises(Refused, match="only what is in force can be temporary"):
            await lives(inc, waiting, HOUR)
        index = await in_force(inc)
        with pytest.raises(Refused, match="Only the commander"):
            await temporary.set_time(inc.ctx, BOB, inc.number, index=index, minutes=HOUR)
        for minutes in (0, 91 * 24 * HOUR):
            with pytest.raises(Invalid, match="1 minute to 90 days"):
                await lives(inc, index, minutes)
