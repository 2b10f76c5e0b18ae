"""Closed incidents: their attack is replayed by the calendar, and one that succeeds opens them again."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from bot.cases import finish, remind
from bot.incident.outward import IntentKind, ReminderKind
from bot.incident.timeline import Happened
from bot.incident.words import RunState, Severity, Status, Verdict
from bot.store import Store, validations
from tests import opened as case
from tests.cases.replaying import ALICE, Replay, parts, replaying
from tests.conftest import Clock

REOPENED = "the attack succeeded again in validation 2, against practice"


@contextlib.asynccontextmanager
async def closed(store: Store, severity: Severity = Severity.SEV3) -> AsyncIterator[Replay]:
    """An incident whose fix was verified, and that is closed."""
    async with replaying(store, severity) as inc:
        inc.ai.model.patched.add("prompt_leak")
        run = await inc.validated(given=parts(inc.ai), vulnerable="practice-1")
        assert run.verdict is Verdict.VERIFIED, run.report
        await finish.resolve(inc.ctx, ALICE, inc.number, reason="patched")
        await finish.close(inc.ctx, ALICE, inc.number)
        yield inc


async def replayed(inc: Replay, run: int = 2) -> None:
    """What the clock and the worker do when the day has come."""
    await remind.sweep(inc.ctx)
    async with inc.working():
        found = await inc.until(run, RunState.FINISHED)
        assert found.regression and found.started_by == "firsthour"


async def told(inc: Replay) -> list[str]:
    rows = await case.intents(inc.store, inc.number, IntentKind.POST, IntentKind.DIRECT, IntentKind.INVITE)
    return [
        row.key
        for row in rows
        if ":2" in row.key and ("regressed" in row.key or "validated" in row.key or "reopened" in row.key)
    ]


async def test_what_verified_the_fix_is_replayed_on_its_days_and_a_success_opens_it_again(
    store: Store, clock: Clock
) -> None:
    async with closed(store) as inc:
        due = await case.reminders(store, inc.number, ReminderKind.REGRESSION_DUE)
        assert [(one.due_at - clock.now).days for one in due] == [7, 30, 90]
        inc.ai.model.patched.clear()
        clock.advance(days=7)
        await replayed(inc)
        incident, run = await inc.incident(), await inc.run(2)
        assert incident.status is Status.REOPENED and run.verdict is Verdict.INCOMPLETE
        moved = (await inc.timeline(Happened.STATUS_CHANGED))[-1]
        assert (moved.data["to"], moved.data["reason"], moved.actor) == ("reopened", REOPENED, "firsthour")
        assert await told(inc) == ["invite:1:reopened:2", "post:regressed:2"]
        assert not await case.reminders(store, inc.number, ReminderKind.REGRESSION_DUE), (
            "it is open: people are at work"
        )
        assert await case.reminders(store, inc.number, ReminderKind.ACKNOWLEDGE), "somebody is called until one answers"


async def test_the_severitys_people_are_called_each_even_where_the_room_was_archived(
    sqlite_store: Store, clock: Clock
) -> None:
    async with closed(sqlite_store, Severity.SEV1) as inc:
        inc.ai.model.patched.clear()
        clock.advance(days=7)
        await replayed(inc)
        assert await told(inc) == [
            "invite:1:reopened:2", "direct:regressed:2:U0CISO", "direct:regressed:2:U0ENG", "direct:regressed:2:U0ONCALL",
            "post:regressed:2",
        ]  # fmt: skip


async def test_a_drill_is_not_replayed_after_its_end(sqlite_store: Store) -> None:
    async with replaying(sqlite_store) as inc:
        inc.ai.model.patched.add("prompt_leak")
        await inc.validated(given=parts(inc.ai), vulnerable="practice-1")
        async with sqlite_store.unit() as unit:
            (await unit.incident(inc.number)).drill = True
        await finish.resolve(inc.ctx, ALICE, inc.number, reason="patched")
        await finish.close(inc.ctx, ALICE, inc.number)
        assert not await case.reminders(sqlite_store, inc.number, ReminderKind.REGRESSION_DUE)


async def test_a_fix_that_still_holds_disturbs_nobody(sqlite_store: Store, clock: Clock) -> None:
    async with closed(sqlite_store) as inc:
        clock.advance(days=7)
        await replayed(inc)
        assert (await inc.run(2)).verdict is Verdict.VERIFIED
        assert (await inc.incident()).status is Status.CLOSED and await told(inc) == []
        assert len(await case.reminders(sqlite_store, inc.number, ReminderKind.REGRESSION_DUE)) == 2


async def test_an_inconclusive_replay_is_told_once_and_opens_nothing(sqlite_store: Store, clock: Clock) -> None:
    async with closed(sqlite_store) as made:
        inc = made.retargeted(url="http://127.0.0.1:9/api/v1/chat", version_url=None)
        clock.advance(days=7)
        await replayed(inc)
        assert (await inc.run(2)).verdict is Verdict.INCONCLUSIVE
        assert (await inc.incident()).status is Status.CLOSED and await told(inc) == ["post:validated:2"]


async def test_beside_another_open_incident_about_the_same_it_stays_closed_and_that_room_is_told(
    sqlite_store: Store, clock: Clock
) -> None:
    async with closed(sqlite_store) as inc:
        other = await case.opened(inc.ctx, app="practice-chat")
        inc.ai.model.patched.clear()
        clock.advance(days=7)
        await replayed(inc)
        assert (await inc.incident()).status is Status.CLOSED and await told(inc) == ["post:validated:2"]
        rows = await case.intents(sqlite_store, other, IntentKind.POST)
        assert [row.args["message"] for row in rows if row.key == "post:regressed:2"] == ["regressed_elsewhere"]


async def test_nothing_is_planned_without_a_proof_or_where_the_target_is_gone(
    sqlite_store: Store, clock: Clock
) -> None:
    async with replaying(sqlite_store) as inc:
        await case.resolve(inc.ctx, ALICE, inc.number, reason="done")
        await finish.close(inc.ctx, ALICE, inc.number)
        assert not await case.reminders(sqlite_store, inc.number, ReminderKind.REGRESSION_DUE)


async def test_a_replay_of_a_target_that_was_taken_out_of_the_file_is_left_out(
    sqlite_store: Store, clock: Clock
) -> None:
    async with closed(sqlite_store) as inc:
        inc.ctx.org.targets.clear()
        clock.advance(days=7)
        await remind.sweep(inc.ctx)
        async with sqlite_store.read() as session:
            assert len(await validations.of_incident(session, inc.number)) == 1
