"""Slack is down for ten minutes while twenty incidents open and two hundred things happen. Then everything converges.

Time is virtual where waiting is the only cost: store, pace and workspace share one clock, with Slack's real limits on.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, func, select

from bot.cases import acknowledge, execute, note, roles, steps, update
from bot.cases.context import Context
from bot.cases.gave_up import gave_up
from bot.cases.receive import AlertIn, receive
from bot.cases.remind import sweep
from bot.incident.caller import Caller
from bot.incident.incident import person
from bot.incident.outward import Intent, IntentState, SurfaceKind
from bot.incident.words import Role, Severity
from bot.practice.server import PracticeWorkspace
from bot.slack.cards import render
from bot.slack.client import slack_client, slack_session
from bot.slack.delivery import Delivery
from bot.slack.pace import Pace
from bot.store import Store, queries
from bot.store.runner import CONCURRENCY, Runner
from tests import opened as case
from tests.conftest import Clock

from .conftest import key_of

INCIDENTS, THINGS = 20, 200
OUTAGE = timedelta(minutes=10)
STEP = timedelta(seconds=2)
"""The clock moves at least so far at once: fewer looks, the same work."""
CONVERGES_WITHIN = timedelta(minutes=5)
"""Of which about two minutes are the floor: 20 topics and 20 pins a minute, beside what each room is told."""
ALICE = Caller(person("U0ALICE"))


class Day:
    """Everything but sockets and HTTP, on a clock that is moved."""

    def __init__(self, ctx: Context, clock: Clock, ws: PracticeWorkspace, runner: Runner) -> None:
        self.ctx, self.clock, self.ws, self.runner = ctx, clock, ws, runner

    @property
    def store(self) -> Store:
        return self.ctx.store

    async def work(self) -> None:
        """Do all that is due at this instant."""
        await sweep(self.ctx)
        while await self.runner._claim(CONCURRENCY):
            await asyncio.gather(*self.runner._in_hand)

    async def passes(self, span: timedelta) -> None:
        """Time passes from one due moment to the next."""
        end = self.clock.now + span
        while self.clock.now < end:
            await self.work()
            following = await self.next_due()
            soon = self.clock.now + STEP
            self.clock.now = min(end, max(soon, following) if following else end)
        await self.work()

    async def next_due(self) -> Any:
        waiting = select(func.min(Intent.due_at)).where(Intent.state == IntentState.PENDING)
        async with self.store.read() as session:
            return (await session.exec(waiting)).one()

    async def unsettled(self) -> list[Intent]:
        open_states = (IntentState.PENDING, IntentState.SENDING)
        async with self.store.read() as session:
            return list((await session.exec(select(Intent).where(col(Intent.state).in_(open_states)))).all())

    async def opens(self, number: int) -> None:
        alert = {"trigger": "jailbreak_success", "title": f"Jailbreak {number}", "app": f"app-{number}"}
        severity = {"severity": number % 4 + 1, "subject": {"kind": "user", "id": f"user-{number}"}}
        received = await receive(self.ctx, "native", AlertIn.model_validate(alert | severity))
        assert received.incident == f"INC-{number}"

    async def happens(self, number: int, nth: int) -> None:
        match nth:
            case 0:
                await acknowledge.acknowledge(self.ctx, ALICE, number)
            case 1:
                await roles.assign(self.ctx, ALICE, number, role=Role.COMMANDER, person="U0ALICE")
            case 2:
                await update.update(self.ctx, ALICE, number, text="We are on it.")
            case 3 | 4:
                async with self.store.read() as session:
                    file = await queries.case_file(session, number, self.clock.now)
                await steps.done(self.ctx, ALICE, number, step_id=file.open_steps[0].step_id)
            case _:
                await note.note(self.ctx, ALICE, number, text=f"note {nth}")


@pytest.fixture
async def day(sqlite_url: str, clock: Clock) -> AsyncIterator[Day]:
    async with AsyncExitStack() as ends:
        ws = await ends.enter_async_context(PracticeWorkspace(limits=True, now=lambda: clock.now.timestamp()))
        store = Store(sqlite_url, now=clock)
        ends.push_async_callback(store.close)
        ctx = case.context(store, roster={})
        session = await ends.enter_async_context(slack_session())
        client = slack_client(ws.bot_token, ws.api_url, session)
        pace = Pace(now=lambda: clock.now.timestamp())
        delivery = Delivery(store, ctx.playbook, ctx.org, client, pace)
        handlers = {**delivery.handlers(), **execute.handlers(ctx)}
        yield Day(ctx, clock, ws, Runner(store, handlers, owner="a", gave_up=gave_up))


@pytest.mark.timeout(400)
async def test_ten_minutes_without_slack_lose_and_double_nothing(day: Day) -> None:
    day.ws.web.down = True
    everything = [(number, nth) for nth in range(THINGS // INCIDENTS) for number in range(1, INCIDENTS + 1)]
    for number in range(1, INCIDENTS + 1):
        await day.opens(number)
        await day.passes(timedelta(seconds=3))
    for number, nth in everything:
        await day.happens(number, nth)
        await day.passes((OUTAGE - timedelta(seconds=3 * INCIDENTS)) / THINGS)
    assert not [one for one in day.ws.channels() if one.name.startswith("inc-")]
    day.ws.web.down = False
    back = day.clock.now
    while await day.unsettled():
        await day.passes(timedelta(seconds=5))
        late = [(one.key, one.state, one.due_at, one.error) for one in await day.unsettled()]
        assert day.clock.now - back <= CONVERGES_WITHIN, late
    await converged(day)


async def converged(day: Day) -> None:
    rooms = Counter(one.name[:8] for one in day.ws.channels() if one.name.startswith("inc-"))
    assert rooms == {f"inc-{number:04d}": 1 for number in range(1, INCIDENTS + 1)}
    posted = Counter(key_of(m) for channel in day.ws.channels() for m in day.ws.messages(channel) if m.by_app)
    assert set(posted.values()) == {1}
    limited = [call for call in day.ws.record.calls() if call.status == 429]
    assert len(limited) <= 5
    for number in range(1, INCIDENTS + 1):
        await fresh(day, number)


async def fresh(day: Day, number: int) -> None:
    """Each surface shows what the store says."""
    async with day.store.read() as session:
        file = await queries.case_file(session, number, day.clock.now)
        await queries.verify_timeline(session, number)
    assert file.commander == "U0ALICE" and file.incident.severity is Severity(number % 4 + 1)
    room = next(one for one in day.ws.channels() if one.id == file.incident.channel_id)
    for surface in file.surfaces:
        assert surface.shown_at is not None, (number, surface.kind, surface.part)
        then = dataclasses.replace(file, now=surface.shown_at)
        message = render(surface.kind, surface.part, then, day.ctx.playbook)
        assert surface.digest == message.digest(), (number, surface.kind, surface.part)
        if surface.kind is SurfaceKind.TOPIC:
            assert room.topic == str(message.text)
            continue
        shown = day.ws.channel(surface.channel_id or "").messages[surface.ts or ""]
        assert shown.text == message.payload()["text"]
    notes = [m for m in day.ws.messages(room) if "late: Slack slowed" in m.plain()]
    assert len(notes) <= 1, "a room is told once that it is late"
