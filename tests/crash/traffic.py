"""What goes on while processes are killed: alerts that their senders repeat until they are heard, and people who press.

Decides the mix, from a seed. Keeps what senders were told, which is all that the checker takes from here.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from bot.practice.people import Person
from bot.practice.server import PracticeWorkspace
from bot.practice.shapes import PracticeError
from bot.practice.state import Channel
from tests.process import TOKEN, Bot

TRIGGERS = (
    "credential_leakage_confirmed", "unauthorized_tool_execution", "bulk_data_extraction", "system_prompt_exposure",
    "cross_user_data_leakage", "jailbreak_success", "credential_leakage_confirmed",
)  # fmt: skip
PRESSED = {
    "acknowledge": 3, "take_command": 5, "step_done": 5, "approve": 8, "revert": 2, "snooze": 1, "close": 1,
}  # fmt: skip
"""What people press, and how often."""
LINES = (
    "note {}",
    "note {}",
    "update {}",
    "status",
    "timeline",
    "resolve --revert-all --waive nothing-to-replay {}",
    "close --false-positive {}",
    "sev 2 {}",
)
AGAIN = 0.3
"""Seconds after which a sender repeats what was not answered."""


@dataclass
class Ledger:
    """What senders were told: the incident of each alert, by external id."""

    told: dict[str, str] = field(default_factory=dict)
    sent: int = 0


class Traffic:
    def __init__(self, workspace: PracticeWorkspace, bots: Sequence[Bot], seed: int) -> None:
        self.workspace, self.bots, self.ledger = workspace, bots, Ledger()
        self.random = random.Random(seed)
        self._words = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, http: httpx.AsyncClient, *, alerts_every: float, acts_every: float) -> None:
        """Until cancelled. `settle` waits for what was begun."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._alerts(http, alerts_every))
            group.create_task(self._people(acts_every))

    async def settle(self) -> None:
        """Every sender has been heard, every person has been answered or let down."""
        await asyncio.gather(*self._tasks)

    async def _alerts(self, http: httpx.AsyncClient, every: float) -> None:
        while True:
            self.ledger.sent += 1
            number = self.ledger.sent
            again = number > 5 and self.random.random() < 0.25
            subject = f"u{self.random.randrange(1, number) if again else number}"
            alert = {
                "trigger": TRIGGERS[int(subject[1:]) % len(TRIGGERS)],
                "title": f"Alert {number}",
                "subject": {"kind": "user", "id": subject},
                "app": "practice-chat" if int(subject[1:]) % 2 else None,
                "external_id": f"e{number}",
            }
            for _ in range(1 + (self.random.random() < 0.2)):  # some senders send twice
                self._begin(self._send(http, alert))
            await asyncio.sleep(self.random.expovariate(1 / every))

    async def _send(self, http: httpx.AsyncClient, alert: dict[str, object]) -> None:
        """As Alertmanager does it: the same alert again until somebody answers 2xx."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        for bot in itertools.cycle(self.bots):
            with contextlib.suppress(httpx.TransportError):
                response = await http.post(f"{bot.url}/alerts", json=alert, headers=headers)
                if response.status_code == 202:
                    name = str(alert["external_id"])
                    told = self.ledger.told.setdefault(name, response.json()["incident"])
                    assert told == response.json()["incident"], f"{name} was told two incidents"
                    return
            await asyncio.sleep(AGAIN)

    async def _people(self, every: float) -> None:
        while True:
            self._begin(self._act())
            await asyncio.sleep(self.random.expovariate(1 / every))

    async def _act(self) -> None:
        who = self.workspace.person(self.random.choice(("alice", "alice", "alice", "bob")))
        rooms = [one for one in self.workspace.channels() if one.name.startswith("inc-") and who.id in one.members]
        if not rooms:
            return
        room = self.random.choice(rooms)
        with contextlib.suppress(PracticeError):  # nobody there, or it changed while they looked: as in Slack
            if self.random.random() < 0.3:
                line = self.random.choice(LINES).format(f"word-{next(self._words)}")
                await who.slash(room, f"/incident {line}")
            else:
                await self._press(who, room)

    async def _press(self, who: Person, room: Channel) -> None:
        name = self.random.choices(list(PRESSED), list(PRESSED.values()))[0]
        there = [
            (message, button)
            for message in self.workspace.messages(room)
            for button in message.buttons()
            if button.action_id == name
        ]
        if there:
            message, button = self.random.choice(there)
            await who.press(room, message, name, button.value)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
