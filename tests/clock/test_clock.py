from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog.testing
from sqlmodel import select

from bot.cases.context import Context
from bot.clock import Clock as Ticker
from bot.incident.outward import InboundKey, Reminder, ReminderState
from bot.store import Store
from tests import opened as case
from tests.conftest import Clock


@asynccontextmanager
async def running(ctx: Context, **more: object) -> AsyncIterator[Ticker]:
    ticker = Ticker(ctx, **more)  # type: ignore[arg-type]
    ticker.start()
    try:
        yield ticker
    finally:
        await ticker.stop()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.01)


async def spoil(store: Store, number: int) -> None:
    """Make what is due for this incident impossible to decide about."""
    async with store.unit() as unit:
        mine = select(Reminder).where(Reminder.incident == number, Reminder.state == ReminderState.PENDING)
        for row in (await unit.session.exec(mine)).all():
            row.args = {}


async def test_what_falls_due_is_told_while_the_clock_runs(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    async with running(ctx):
        clock.advance(minutes=3)

        async def told() -> bool:
            return len(await case.posts(store, number)) == 1

        await until(told)


async def test_a_restart_has_nothing_to_load_and_loses_nothing(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    async with running(ctx):
        pass
    clock.advance(minutes=3)

    async def told() -> bool:
        return len(await case.posts(store, number)) == 1

    async with running(ctx):
        await until(told)


async def test_an_incident_that_cannot_be_decided_about_does_not_hold_up_the_others(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    bad, good = await case.opened(ctx, user="bad"), await case.opened(ctx, user="good")
    await spoil(store, bad)
    clock.advance(minutes=3)
    with structlog.testing.capture_logs() as logs:
        await Ticker(ctx).tick()
    assert len(await case.posts(store, good)) == 1
    assert {"clock.sweep_failed", "clock.incident_failed"} <= {entry["event"] for entry in logs}
    [later, *_] = await case.reminders(store, bad)
    assert later.due_at == clock.now + timedelta(minutes=1), "it is looked at again, but not four times a second"


async def test_a_store_that_cannot_be_reached_does_not_kill_the_clock(sqlite_store: Store, clock: Clock) -> None:
    ctx = case.context(sqlite_store)
    number = await case.opened(ctx)
    clock.advance(minutes=3)
    broken = case.context(Store("sqlite:////nowhere/at/all.db", now=clock))
    ticker = Ticker(broken)
    with structlog.testing.capture_logs() as logs:
        await ticker.tick()
        await ticker.tidy()
    assert [entry["event"] for entry in logs][-1] == "clock.tidy_failed"
    await broken.store.close()
    await Ticker(ctx).tick()
    assert len(await case.posts(sqlite_store, number)) == 1


async def test_inbound_acts_are_forgotten_after_a_week_and_not_before(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    async with store.unit(inbound="old"):
        pass
    clock.advance(days=1)
    async with store.unit(inbound="young"):
        pass
    clock.advance(days=6, minutes=1)
    await Ticker(ctx).tidy()
    async with store.read() as session:
        assert (await session.exec(select(InboundKey.key))).all() == ["young"]


async def test_stopping_lets_a_tick_finish_its_transaction(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    clock.advance(minutes=3)
    ticker = Ticker(ctx)
    ticker.start()
    tick = asyncio.create_task(ticker.tick())
    await asyncio.sleep(0)
    await ticker.stop()
    await tick
    assert len(await case.posts(store, number)) == 1
