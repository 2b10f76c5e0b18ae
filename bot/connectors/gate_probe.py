"""One gate over HTTP, as far as its connector asks it: a decision, what a measure would have touched, whether it is well.

Decides how an answer is read, and what is said where none can be. Every question carries the mark of a probe: the gate
decides it like any other, and counts it apart. What is asked is `gate_behaviour`'s.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from bot.connectors.http import Answered, NoAnswer, NotSent, client, exchange
from bot.incident.words import ActionKind, ScopeKind

T = TypeVar("T", bound=BaseModel)
SECONDS = 1.0
"""For one question: a gate answers in milliseconds."""


class Said(BaseModel):
    """The gate's answer, as far as it is read: a newer gate may say more."""

    model_config = ConfigDict(frozen=True, strict=True)

    allow: bool
    outcome: str
    incident: str | None
    answer: str | None
    tools: bool
    retrieval: bool
    withheld: list[str]


class Usage(BaseModel):
    """What a measure would have touched: calls and subjects, as far back as the gate remembers."""

    model_config = ConfigDict(frozen=True, strict=True)

    calls: int
    subjects: int
    complete: bool
    seconds: float

    def source(self, gates: int) -> str:
        """In words for the panel. `gates`: how many there are, each of which knows its own calls; 0 where that is unknown."""
        whose = "the gate's decisions" if gates == 1 else f"the decisions of one of {gates or 'several'} gates"
        since = "hour" if self.seconds >= 3600 else f"{max(1, round(self.seconds / 60))} min, since it started"
        return f"{whose} of the last {since}{'' if self.complete else ' (at least: it kept a part)'}"


@dataclass(frozen=True)
class Unanswered:
    """The gate said nothing that could be understood. `why` is for people: no address, no token."""

    why: str


@dataclass
class Asking:
    """One gate's address and token."""

    url: Callable[[], str]
    """Asked each time: a gate in the same process knows its port once it listens."""
    token: SecretStr
    http: httpx.AsyncClient = field(default_factory=client)

    async def decide(self, question: dict[str, object]) -> Said | Unanswered:
        body = await self._ask("POST", "/decide", question)
        return body if isinstance(body, Unanswered) else _parsed(Said, body)

    async def usage(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> Usage | Unanswered:
        asked = {"kind": kind.value, "scope_kind": scope_kind.value, "scope_id": scope_id}
        body = await self._ask("GET", f"/usage?{httpx.QueryParams(asked)}")
        return body if isinstance(body, Unanswered) else _parsed(Usage, body)

    async def not_well(self) -> str | None:
        """Why this gate cannot be relied on now; None where it answers us and knows its rules."""
        said = await self.decide({"user": "firsthour-probe"})
        if not isinstance(said, Unanswered):
            ready = await self._ask("GET", "/readyz")
            return ready.why if isinstance(ready, Unanswered) else None
        return said.why

    async def _ask(self, method: str, path: str, question: dict[str, object] | None = None) -> bytes | Unanswered:
        token = self.token.get_secret_value()
        headers = {"X-Api-Key": token, "X-Firsthour-Probe": token, "Content-Type": "application/json"}
        content = json.dumps(question).encode() if question is not None else None
        answer = await exchange(self.http, method, self.url() + path, seconds=SECONDS, headers=headers, content=content)
        match answer:
            case Answered(200, bytes(body)):
                return body
            case Answered(401 | 403 as status):
                return Unanswered(f"it refuses our credentials ({status}): compare FIRSTHOUR_GATE_TOKEN")
            case Answered(503):
                return Unanswered("it does not know its rules (503): its store does not answer, or its copy is too old")
            case Answered(status):
                return Unanswered(f"it answered {status}")
            case NotSent(why) | NoAnswer(why):
                return Unanswered(why)


def _parsed(model: type[T], body: bytes) -> T | Unanswered:
    try:
        return model.model_validate_json(body)
    except ValidationError:
        return Unanswered("its answer is not a gate's: look at which address FIRSTHOUR_GATE names")
