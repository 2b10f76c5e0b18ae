"""The whole bot, unchanged, against the practice workspace and the practice AI app, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
import structlog
from sqlmodel import col, select

from bot.app import Firsthour
from bot.demo import Stage, stage
from bot.environment import read_settings
from bot.incident.casefile import CaseFile
from bot.incident.outward import Intent, IntentState
from bot.practice.ai_app import PracticeAiApp
from bot.practice.people import Person
from bot.practice.server import PracticeWorkspace
from bot.practice.state import Button, Channel, Message
from bot.store import queries

T = TypeVar("T")
PATIENCE = 20.0
"""Seconds that a condition may take on a machine that is busy with other tests."""
IN_THE_ROOM = 3
"""Card, panel, checklist."""


class Scene:
    """A stage with the few questions that every test asks."""

    def __init__(self, built: Stage, http: httpx.AsyncClient) -> None:
        self.workspace, self.ai_app, self.house, self.http = built.workspace, built.ai_app, built.house, http
        self.token = built.ingest_token
        self.alice, self.bob = self.person("alice"), self.person("bob")

    def person(self, name: str) -> Person:
        return self.workspace.person(name)

    async def until(self, condition: Callable[[], T]) -> T:
        return await self.workspace.until(condition, timeout=PATIENCE)

    # Alerts and rooms

    async def post(self, path: str = "/alerts", **fields: object) -> httpx.Response:
        body = {
            "trigger": "credential_leakage_confirmed",
            "title": "A credential was delivered",
            "subject": {"kind": "user", "id": "mallory"},
            "app": "practice-chat",
            "session_id": "s-mallory",
        } | fields
        return await self.send(path, json=body)

    async def send(self, path: str = "/alerts", *, token: str | None = None, **request: object) -> httpx.Response:
        url = f"http://127.0.0.1:{self.house.port}{path}"
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return await self.http.post(url, headers=headers, **request)  # type: ignore[arg-type]

    async def opened(self, **fields: object) -> Channel:
        """An alert, and the room that it opens."""
        response = await self.post(**fields)
        assert response.status_code == 202, response.text
        return await self.room(int(response.json()["incident"].removeprefix("INC-")))

    async def room(self, number: int) -> Channel:
        """The room of an incident with card, panel and checklist in it, and Alice, who is on call, invited."""
        return await self.until(lambda: self._complete(number))

    def _complete(self, number: int) -> Channel | None:
        for channel in self.rooms(number):
            if self.alice.id in channel.members and len(self.workspace.messages(channel)) >= IN_THE_ROOM:
                return channel
        return None

    def rooms(self, number: int) -> list[Channel]:
        return [one for one in self.workspace.channels() if one.name.startswith(f"inc-{number:04d}-")]

    async def led(self, **fields: object) -> Channel:
        """A room in which Alice has taken command."""
        room = await self.opened(**fields)
        await self.press(self.alice, room, "take_command")
        await self.shows(room, "card", f"Incident commander: <@{self.alice.id}>")
        return room

    async def file(self, number: int = 1) -> CaseFile:
        """What the store knows."""
        async with self.house.store.read() as session:
            return await queries.case_file(session, number, self.house.store.now())

    async def quiet(self) -> None:
        """Wait until nothing is left to be done outside."""
        waiting = select(Intent.id).where(col(Intent.state).in_([IntentState.PENDING, IntentState.SENDING]))

        async def busy() -> bool:
            async with self.house.store.read() as session:
                return (await session.exec(waiting)).first() is not None

        await self.while_(busy)

    async def while_(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait until this, asked of the store, is no longer so."""
        changes = self.workspace.world.changes
        async with asyncio.timeout(PATIENCE):
            while await condition():
                await changes.after(changes.version, 0.25)

    # What is in a room

    def surface(self, channel: Channel | str, name: str) -> Message | None:
        """`card`, `panel`, `checklist:triage`, `announcement`."""
        kind, _, part = name.partition(":")
        return next((m for m in self.workspace.messages(channel) if key_of(m).endswith(f":{kind}:{part}")), None)

    async def shows(self, channel: Channel | str, name: str, words: str) -> Message:
        """Wait until a surface says this."""

        def saying() -> Message | None:
            found = self.surface(channel, name)
            return found if found is not None and words in found.plain() else None

        return await self.until(saying)

    async def shown(self, channel: Channel | str, words: str) -> Message:
        """Wait until a message in the channel says this."""
        messages = self.workspace.messages
        return await self.until(lambda: next((m for m in messages(channel) if words in m.plain()), None))

    async def told(self, who: Person, words: str) -> Message:
        """Wait until a person is told this, alone."""
        return await self.until(lambda: next((m for m in who.ephemerals() if words in m.plain()), None))

    async def asks(self, who: Person, line: str, words: str, channel: Channel | str = "incidents") -> Message:
        """Type a line of `/incident`, and wait for the answer to say this."""
        await who.slash(channel, f"/incident {line}".strip())
        return await self.told(who, words)

    # What people press

    def having(self, channel: Channel | str, action_id: str, about: str = "") -> tuple[Message, Button] | None:
        """The first button of this action id whose value begins so, and its message."""
        for message in self.workspace.messages(channel):
            for button in message.buttons():
                if button.action_id == action_id and button.value.startswith(about):
                    return message, button
        return None

    async def press(self, who: Person, channel: Channel | str, action_id: str, about: str = "") -> None:
        """Wait for the button to be there, then press it."""
        message, button = await self.until(lambda: self.having(channel, action_id, about))
        await who.press(channel, message, action_id, button.value)

    async def fills(self, who: Person, title: str, values: dict[str, str]) -> None:
        """Wait for the form to be open, fill it in and submit it."""
        await self.until(lambda: who.view is not None and who.view.title == title)
        result = await who.submit(None, dict(values))
        assert result.closed, result.errors

    def everything_said(self) -> list[Message]:
        """Every message that anybody can see, also those for one person alone."""
        public = [m for channel in self.workspace.world.channels.values() for m in channel.live_messages()]
        return [m for m in [*public, *self.workspace.world.ephemerals] if m.by_app and m.subtype is None]


def key_of(message: Message) -> str:
    """The key of the intent that posted it; empty where there is none."""
    payload = (message.metadata or {}).get("event_payload", {})
    return str(payload.get("key", ""))


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Tracebacks without the pretty frames of structlog's default, which take seconds to draw."""
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[plain], wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    yield
    structlog.reset_defaults()


@pytest.fixture
async def scene(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Scene]:
    """On a database that is migrated already: `test_demo` and `test_start` begin with nothing."""
    assert sqlite_url.endswith(str(tmp_path / "firsthour.db")), "the stage's own"
    async with stage(tmp_path, gated=False) as built, httpx.AsyncClient(timeout=PATIENCE) as http:
        yield Scene(built, http)


@contextlib.asynccontextmanager
async def arranged(folder: Path, organisation: str, *, speed: float = 1.0) -> AsyncIterator[Scene]:
    """A stage of this organisation, without connectors."""
    config = folder / "organisation.yaml"
    config.write_text(organisation, encoding="utf-8")
    async with PracticeWorkspace() as workspace, PracticeAiApp() as ai_app, httpx.AsyncClient(timeout=PATIENCE) as http:
        token = "ingest-token-of-a-test"
        env = {
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_APP_TOKEN": workspace.app_token,
            "SLACK_API_URL": workspace.api_url,
            "DATABASE_URL": f"sqlite:///{folder / 'firsthour.db'}",
            "FIRSTHOUR_CONFIG": str(config),
            "FIRSTHOUR_HTTP": "127.0.0.1:0",
            "FIRSTHOUR_INGEST_TOKEN": token,
            "FIRSTHOUR_SPEED": str(speed),
        }
        house = Firsthour(read_settings(env), env=env)
        await house.start()
        try:
            yield Scene(Stage(workspace, ai_app, house, token), http)
        finally:
            await house.stop()
