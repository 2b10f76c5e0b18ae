"""A delivery at work: the real handlers in a real runner, over real HTTP, against the practice workspace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select, update

from bot.cases.gave_up import gave_up
from bot.incident.columns import Json
from bot.incident.incident import SYSTEM, Incident
from bot.incident.outward import Intent, IntentKind, IntentState, Surface, SurfaceKind
from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.words import Phase, Severity
from bot.practice.server import PracticeWorkspace
from bot.practice.state import Channel, Message
from bot.settings import Channels, Organisation, RosterEntry
from bot.slack.client import slack_client, slack_session
from bot.slack.delivery import Delivery
from bot.slack.pace import Pace
from bot.store import Store, queries
from bot.store.intents import Claim, claim
from bot.store.runner import Runner
from tests.slack.casefiles import action, incident, playbook, steps

ORG = Organisation(
    channels=Channels(announcements="incidents"),
    roster={"ciso": RosterEntry(people=("bob@practice.example",)), "on_call": RosterEntry(usergroups=("@oncall",))},
)


class Work:
    """The bot's side of one test: opens incidents, runs the runner, and answers questions about both sides."""

    def __init__(self, ws: PracticeWorkspace, store: Store, delivery: Delivery) -> None:
        self.ws, self.store, self.delivery = ws, store, delivery
        self.runner = Runner(store, delivery.handlers(), owner="here", gave_up=gave_up)
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = asyncio.create_task(self.runner.run())

    async def stop(self) -> None:
        if self._running is not None:
            await self.runner.stop()
            await self._running

    async def declare(self, **changed: Any) -> int:
        """An incident with all of its surfaces wanted and its room to be opened."""
        async with self.store.unit() as unit:
            number = await unit.next_number()
            about = incident(
                number=number, declared_at=unit.now, severity=changed.pop("severity", Severity.SEV1), **changed
            )
            unit.add(about)
            unit.record(about, Happened.OPENED, SYSTEM, title=about.title)
            await unit.flush()
            unit.add(*steps(number=number))
            unit.add(action(id=None, incident=number))
            for kind in (SurfaceKind.CARD, SurfaceKind.PANEL, SurfaceKind.ANNOUNCEMENT):
                await unit.show(about, kind)
            await unit.show(about, SurfaceKind.CHECKLIST, Phase.TRIAGE.value)
            await unit.intend(IntentKind.OPEN_ROOM, f"open_room:{number}", incident=about)
        return number

    async def intend(self, number: int, kind: IntentKind, key: str, **args: Any) -> None:
        async with self.store.unit() as unit:
            await unit.intend(kind, key, incident=await unit.incident(number), args=args)

    async def change(self, number: int, **values: Any) -> None:
        """Change the incident and have its surfaces shown again."""
        async with self.store.unit() as unit:
            about = await unit.incident(number)
            for name, value in values.items():
                setattr(about, name, value)
            unit.refresh(about)

    async def opened(self, **changed: Any) -> tuple[int, Channel]:
        number = await self.declare(**changed)
        await self.settled()
        return number, self.room(number)

    def room(self, number: int) -> Channel:
        found = [one for one in self.ws.channels() if one.name.startswith(f"inc-{number:04d}-")]
        assert found, f"INC-{number} has no room"
        return found[-1]

    def posted(self, number: int) -> list[Message]:
        return self.ws.messages(self.room(number))

    async def incident(self, number: int) -> Incident:
        async with self.store.read() as session:
            found = await session.get(Incident, number)
            assert found is not None
            return found

    async def intents(self, number: int | None = None) -> list[Intent]:
        wanted = select(Intent).order_by(col(Intent.id))
        async with self.store.read() as session:
            rows = (await session.exec(wanted)).all()
        return [row for row in rows if number is None or row.incident == number]

    async def timeline(self, number: int, kind: Happened) -> list[TimelineEntry]:
        async with self.store.read() as session:
            return [entry for entry in await queries.timeline(session, number) if entry.kind is kind]

    async def surface(self, number: int, kind: SurfaceKind) -> Surface:
        async with self.store.read() as session:
            file = await queries.case_file(session, number, self.store.now())
        return next(one for one in file.surfaces if one.kind is kind)

    async def settled(self, within: float = 30) -> None:
        """Until nothing is left to be done outside."""
        async with asyncio.timeout(within):
            while any(row.state not in {IntentState.DONE, IntentState.GIVEN_UP} for row in await self.intents()):
                await asyncio.sleep(0.02)

    async def until(self, condition: Callable[[], bool], within: float = 15) -> None:
        await self.ws.until(condition, within)

    async def carried_out_and_killed(self, kind: IntentKind) -> Claim:
        """A process claims the next intent of a kind, does it, and dies before it is recorded. Its lease has run out."""
        [taken] = await claim(self.store, "killed", limit=1, kinds=(kind,))
        await self.delivery.handlers()[kind](taken)
        async with self.store.unit() as unit:
            over = update(Intent).where(col(Intent.id) == taken.id).values(lease_until=unit.now - timedelta(seconds=1))
            await unit.session.exec(over)
        return taken


@pytest.fixture
def org() -> Organisation:
    return ORG


@pytest.fixture
async def ws() -> AsyncIterator[PracticeWorkspace]:
    async with PracticeWorkspace() as workspace:
        yield workspace


@pytest.fixture
async def idle(ws: PracticeWorkspace, sqlite_url: str, org: Organisation) -> AsyncIterator[Work]:
    """Everything ready, nothing running yet."""
    async with AsyncExitStack() as ends:
        store = Store(sqlite_url)
        ends.push_async_callback(store.close)
        session = await ends.enter_async_context(slack_session())
        client = slack_client(ws.bot_token, ws.api_url, session)
        work = Work(ws, store, Delivery(store, playbook(), org, client, Pace()))
        ends.push_async_callback(work.stop)
        yield work


@pytest.fixture
async def work(idle: Work) -> Work:
    idle.start()
    return idle


def texts(messages: list[Message]) -> str:
    return "\n".join(message.plain() for message in messages)


def keys(rows: list[Intent], kind: IntentKind) -> list[Json]:
    return [row.args for row in rows if row.kind is kind]
