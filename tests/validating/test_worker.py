"""Who carries a run out: one process at a time, each trial once, and nothing lost where a process dies between two trials."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from bot.incident.outward import SurfaceKind
from bot.incident.words import RunState, Verdict
from bot.store import Store, queries, validations
from bot.store.validations import LEASE
from bot.validating import Validating
from bot.validating.carrying import MOST_FAILURES, Carrying
from tests.cases.replaying import Replay, parts, replaying
from tests.conftest import Clock

SLOW = {"per_second": 15, "concurrency": 2}


@contextlib.asynccontextmanager
async def slow(store: Store) -> AsyncIterator[tuple[Replay, int]]:
    """A patched app, and a run that is queued; the target takes so few calls a second that it can be met in its middle."""
    async with replaying(store) as made:
        inc = made.retargeted(**SLOW)
        inc.ai.model.patched.add("prompt_leak")
        yield inc, await inc.start(given=parts(inc.ai), vulnerable="practice-1")


async def killed(worker: Validating) -> None:
    """As by `kill -9`: nothing is written any more, nothing is given back."""
    for task, _ in list(worker._in_hand.values()):
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ended(inc: Replay, run: int) -> None:
    finished = await inc.until(run, RunState.FINISHED)
    keys = [(one.payload, one.variant, one.attempt) for one in await inc.trials(run)]
    assert finished.verdict is Verdict.VERIFIED, finished.report
    assert len(keys) == len(set(keys)) >= finished.report["trials"] > 4


async def test_a_killed_process_loses_no_trial_and_another_one_goes_on_after_the_lease(
    store: Store, clock: Clock
) -> None:
    async with slow(store) as (inc, run):
        worker = inc.worker("w1")
        await worker.start()
        await inc.until(run, RunState.RUNNING, trials=4)
        await killed(worker)
        await worker.stop()
        kept = {one.id for one in await inc.trials(run)}
        assert (await inc.run(run)).state is RunState.RUNNING and await validations.claim(store, "w2") is None
        clock.advance(LEASE)
        faster = inc.retargeted()
        async with faster.working("w2"):
            await ended(faster, run)
        assert kept <= {one.id for one in await inc.trials(run)}


async def test_who_has_lost_the_lease_keeps_nothing_and_ends_nothing(store: Store) -> None:
    async with slow(store) as (inc, run):
        async with inc.working("w1"):
            await inc.until(run, RunState.RUNNING, trials=4)
            async with store.unit() as unit:  # w1 was asleep for longer than its lease, and w2 took it over
                (await validations.run(unit.session, run)).lease_owner = "w2"
            before = len(await inc.trials(run))
        after = await inc.run(run)
        assert (after.state, after.lease_owner) == (RunState.RUNNING, "w2")
        assert len(await inc.trials(run)) == before and after.verdict is None


async def test_two_replicas_never_carry_out_the_same_run(store: Store) -> None:
    async with slow(store) as (inc, run):
        first, second = await asyncio.gather(validations.claim(store, "w1"), validations.claim(store, "w2"))
        assert [first is None, second is None].count(True) == 1
        async with inc.working("w3"):
            assert (await inc.run(run)).lease_owner in {"w1", "w2"}


async def test_a_process_that_ends_gives_its_run_back_at_once(sqlite_store: Store) -> None:
    async with slow(sqlite_store) as (inc, run):
        async with inc.working("w1"):
            await inc.until(run, RunState.RUNNING, trials=4)
        left = await inc.run(run)
        assert (left.state, left.lease_owner, left.verdict) == (RunState.QUEUED, None, None)
        faster = inc.retargeted()
        async with faster.working("w2"):
            await ended(faster, run)


async def test_a_run_whose_target_or_pack_is_gone_ends_in_words(sqlite_store: Store) -> None:
    async with slow(sqlite_store) as (inc, run):
        nowhere = inc.retargeted()
        nowhere.ctx.org.targets.clear()
        async with nowhere.working():
            finished = await nowhere.until(run, RunState.FINISHED)
        assert finished.verdict is Verdict.INCONCLUSIVE
        assert "practice is not configured any more" in (finished.reason or "")


async def test_the_rooms_message_is_wanted_once_and_shown_anew_with_the_progress(sqlite_store: Store) -> None:
    async with slow(sqlite_store) as (inc, run):
        async with sqlite_store.unit() as unit:
            await validations.show_progress(unit, run, {"payloads": 1, "payloads_done": 0, "trials": 7})
        async with sqlite_store.read() as session:
            file = await queries.case_file(session, inc.number, sqlite_store.now())
        assert file.surface(SurfaceKind.VALIDATION, str(run)) is not None
        assert file.validations[0].report["progress"]["trials"] == 7


async def test_the_only_process_on_a_store_goes_on_at_once_with_what_a_killed_one_left(sqlite_store: Store) -> None:
    async with slow(sqlite_store) as (inc, run):
        assert await validations.claim(sqlite_store, "killed") is not None
        assert await validations.claim(sqlite_store, "w2") is None
        assert await validations.inherit(sqlite_store) == 1
        taken = await validations.claim(sqlite_store, "w2")
        assert taken is not None and (taken.id, (await inc.run(run)).lease_owner) == (run, "w2")


async def test_an_accident_of_ours_is_tried_again_and_then_said(sqlite_store: Store, clock: Clock) -> None:
    async with slow(sqlite_store) as (inc, run):
        for again in range(MOST_FAILURES):
            taken = await validations.claim(sqlite_store, "w1")
            assert taken is not None, again
            await Carrying(inc.ctx, {}, taken, "w1").failed()
            clock.advance(minutes=1)
        ended = await inc.run(run)
        assert (ended.state, ended.verdict) == (RunState.FINISHED, Verdict.INCONCLUSIVE)
        assert "Something went wrong on our side" in (ended.reason or "")
