"""The whole bot, unchanged, against the practice workspace and the practice AI app, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.demo import Stage, stage
from bot.practice.people import Person
from bot.practice.state import Channel, Message


class Scene:
    """A stage with the few questions that every test asks."""

    def __init__(self, built: Stage, http: httpx.AsyncClient) -> None:
        self.workspace, self.ai_app, self.house, self.http = built.workspace, built.ai_app, built.house, http
        self.alice, self.bob = self.person("alice"), self.person("bob")

    def person(self, name: str) -> Person:
        return self.workspace.person(name)

    async def post(self, path: str = "/alerts", **fields: object) -> httpx.Response:
        body = {
            "trigger": "credential_leakage_confirmed",
            "title": "A credential was delivered",
            "subject": {"kind": "user", "id": "mallory"},
            "app": "practice-chat",
            "session_id": "s-mallory",
        } | fields
        url = f"http://127.0.0.1:{self.house.port}{path}"
        return await self.http.post(url, json=body, headers={"Authorization": f"Bearer {self.ai_app.alarm.token}"})

    async def opened(self, **fields: object) -> Channel:
        """An alert, and the room that it opens."""
        response = await self.post(**fields)
        assert response.status_code == 202, response.text
        return await self.room(int(response.json()["incident"].removeprefix("INC-")))

    async def room(self, number: int) -> Channel:
        """The room of an incident with card, panel and checklist in it, and Alice, who is on call, invited."""
        return await self.workspace.until(lambda: self._complete(number))

    def _complete(self, number: int) -> Channel | None:
        for channel in self.workspace.channels():
            if channel.name.startswith(f"inc-{number:04d}-") and self.alice.id in channel.members:
                if len(self.workspace.messages(channel)) >= 3:
                    return channel
        return None

    def having(self, channel: Channel | str, action_id: str) -> Message | None:
        """The first message in a channel with such a button."""
        for message in self.workspace.messages(channel):
            if any(button.action_id == action_id for button in message.buttons()):
                return message
        return None

    async def press(self, who: Person, channel: Channel | str, action_id: str, value: str | None = None) -> None:
        """Wait for the button to be there, then press it."""
        message = await self.workspace.until(lambda: self.having(channel, action_id))
        await who.press(channel, message, action_id, value)

    async def shown(self, channel: Channel | str, words: str) -> Message:
        """Wait until a message in the channel says this."""
        return await self.workspace.until(lambda: self._saying(channel, words))

    def _saying(self, channel: Channel | str, words: str) -> Message | None:
        return next((m for m in self.workspace.messages(channel) if words in m.plain()), None)

    async def told(self, who: Person, words: str) -> Message:
        """Wait until a person is told this, alone."""
        return await self.workspace.until(lambda: next((m for m in who.ephemerals() if words in m.plain()), None))


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with stage(tmp_path) as built, httpx.AsyncClient(timeout=20) as http:
        yield Scene(built, http)
