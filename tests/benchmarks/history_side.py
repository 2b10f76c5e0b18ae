"""One of the two databases of `history`: the bot's real rooms on it, and what the statements on it took.

Decides how an act is done: a typed line, a press, a submitted form, a delivery, each in the room of one incident. Slack is the
practice workspace, containment a webhook of its own, the clock one that is moved. Which acts there are is `history_acts`'.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy import event, text
from sqlmodel import col, select

from bot.cases.context import Context
from bot.cases.receive import AlertIn, receive
from bot.evidence.folder import FolderVault
from bot.incident.outward import IntentKind
from bot.incident.work import Action
from bot.slack import buttons, parse
from bot.slack.buttons import Button
from bot.slack.feature import Answer, Asked
from bot.store import Store, intents
from bot.store.runner import Handler, Runner
from bot.validating import Validating
from commands import FEATURES
from tests.conftest import Clock
from tests.spoken import asking, spoken

OWNER = "bench"
LATEST = {
    "evidence": "SELECT max(id) FROM evidence WHERE incident = :of",
    "item": "SELECT max(id) FROM action_item WHERE incident = :of",
    "risk": "SELECT max(id) FROM risk WHERE incident = :of",
    "run": "SELECT max(id) FROM validation_run WHERE incident = :of",
    "action": 'SELECT max("index") FROM action WHERE incident = :of',
    "step": "SELECT step_id FROM step WHERE incident = :of AND state = 'open' ORDER BY id LIMIT 1 OFFSET 9",
    "done": "SELECT step_id FROM step WHERE incident = :of AND state = 'done' ORDER BY id LIMIT 1",
    "pack": "SELECT max(id) FROM evidence WHERE incident = :of AND name LIKE '%payload%'",
    "draft": (
        "SELECT json_extract(args, '$.document') || '|' || json_extract(args, '$.upto') || '|' ||"
        " json_extract(args, '$.sha256') FROM intent WHERE incident = :of AND kind = 'upload' AND"
        " json_extract(args, '$.draft') ORDER BY id DESC LIMIT 1"
    ),
    "suppression": "SELECT max(id) FROM suppression",
}
"""What a line may name of its incident, as `{evidence}` and so on."""


@dataclass
class Side:
    """One of the two databases, what the statements on it took since the last look, and which there were."""

    ctx: Context
    clock: Clock
    handlers: Mapping[IntentKind, Handler]
    runner: Runner
    worker: Validating
    vault: FolderVault
    spent: list[float] = field(default_factory=list)
    listening: bool = False
    statements: dict[str, Any] = field(default_factory=dict)
    target: int = 0
    """The incident that acts are about."""
    fresh: count[int] = field(default_factory=count)
    done: set[str] = field(default_factory=set)
    """Verbs, buttons and forms that were used."""

    @property
    def store(self) -> Store:
        return self.ctx.store

    @property
    def took(self) -> float:
        """Seconds of a processor that the database has spent on this side."""
        return sum(self.spent)

    def listen(self) -> None:
        """Have every statement seen, and what the database spends counted."""

        @event.listens_for(self.store.engine.sync_engine, "before_cursor_execute")
        def before(_: Any, __: Any, statement: str, parameters: Any, ___: Any, many: bool) -> None:
            if self.listening and not many:
                self.statements.setdefault(statement, parameters)

        @event.listens_for(self.store.engine.sync_engine, "connect")
        def connected(connection: Any, _: Any) -> None:
            driver = connection.driver_connection
            go = driver._execute
            driver._execute = lambda what, *given, **named: go(self._counted(what), *given, **named)

    def _counted(self, what: Callable[..., Any]) -> Callable[..., Any]:
        """In SQLite's thread. Its processor time: waiting for a busy machine is not the database's."""

        def run(*given: Any, **named: Any) -> Any:
            began = time.thread_time()
            try:
                return what(*given, **named)
            finally:
                if self.listening:
                    self.spent.append(time.thread_time() - began)

        return run

    @contextlib.contextmanager
    def beside(self) -> Iterator[None]:
        """What is done in here is not part of the act."""
        before, self.listening = self.listening, False
        try:
            yield
        finally:
            self.listening = before

    async def told(self, trigger: str = "credential_leakage_confirmed", *, user: str, app: str) -> int:
        """An alert about somebody arrives; returns the number of its incident."""
        about = {"subject": {"kind": "user", "id": user}, "app": app, "severity": 2}
        pieces = [{"name": "answer", "text": f"{user} was told the key"}]
        alert = {"trigger": trigger, "title": "A canary was in an answer", "evidence": pieces, **about}
        received = await receive(self.ctx, "native", AlertIn.model_validate(alert))
        return int(received.incident.removeprefix("INC-"))

    async def say(self, line: str, user: str = "U0ALICE") -> Answer:
        """`/incident {line}` in the incident's room."""
        self.done.add(parse.choose(FEATURES, line)[0].verb)
        return await spoken(self.ctx, line, await self._asked(user))

    async def say_outside(self, line: str) -> Answer:
        self.done.add(parse.choose(FEATURES, line)[0].verb)
        return await spoken(self.ctx, line, asking())

    async def press(self, button: Button, rest: str, user: str = "U0ALICE") -> Answer:
        self.done.add(f"[{button}]")
        number, left = buttons.parse(f"{self.target}|{rest}" if rest else str(self.target))
        feature = next(feature for feature in FEATURES if button in feature.buttons)
        return await feature.buttons[button](self.ctx, replace(await self._asked(user), incident=number, value=left))

    async def submit(self, form: str, values: Mapping[str, Any]) -> Answer:
        self.done.add(f"form {form}")
        found = next(one for feature in FEATURES for one in feature.forms if one.callback_id == form)
        about = {"incident": self.target} if "incident" in found.model.model_fields else {}
        model = found.model.model_validate({**about, **values})
        return await found.submit(self.ctx, await self._asked("U0ALICE"), model)

    async def _asked(self, user: str) -> Asked:
        room = await self.value("SELECT channel_id FROM incident WHERE number = :of")
        return asking(user, channel=room, incident=self.target)

    async def named(self, text_: str) -> str:
        """The text with `{evidence}`, `{action}` … in it replaced by what the incident has last of them."""
        found = {name: await self.value(wanted) for name, wanted in LATEST.items() if f"{{{name}}}" in text_}
        if "{digest}" in text_:
            found["digest"] = await self._digest()
        if "{soon}" in text_:
            found["soon"] = f"{self.clock.now + timedelta(days=30):%Y-%m-%d}"
        return text_.format(incident=self.target, **found)

    async def _digest(self) -> str:
        """What the panel shows beside the latest action, as its buttons carry it."""
        with self.beside():
            return await self._shown()

    async def _shown(self) -> str:
        async with self.store.read() as session:
            latest = select(Action).where(Action.incident == self.target).order_by(col(Action.index).desc()).limit(1)
            return (await session.exec(latest)).one().digest

    async def value(self, wanted: str) -> Any:
        """Asked beside the act: not measured, not explained."""
        with self.beside():
            async with self.store.engine.connect() as connection:
                given = {"of": self.target} if ":of" in wanted else {}
                return (await connection.execute(text(wanted), given)).scalar_one_or_none()

    async def change(self, statement: str) -> None:
        """Beside the act, too. `:now` is the clock's."""
        given = {"now": f"{self.clock.now:%Y-%m-%d %H:%M:%S.%f}", "of": self.target}
        with self.beside():
            async with self.store.writing.begin() as connection:
                named = {name: given[name] for name in given if f":{name}" in statement}
                await connection.execute(text(statement), named)

    async def deliver(self) -> None:
        """Claim what is due, carry it out, settle it, until nothing is left: rooms, surfaces, posts, containment, evidence."""
        kinds = tuple(self.handlers)
        while claims := await intents.claim(self.store, OWNER, limit=24, kinds=kinds):
            for claim in claims:
                await self.runner.settle(claim, await self.handlers[claim.kind](claim))

    async def replay(self) -> None:
        """Carry out the validation that waits, to its end."""
        assert await self.worker._take()
        [(task, _)] = self.worker._in_hand.values()
        await task
