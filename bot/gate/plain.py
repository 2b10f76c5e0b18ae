"""`POST /decide`: the gate's own protocol, for applications that ask it themselves.

Decides the shape of question and answer. The HTTP status says whether the question was understood; what was decided is in
the body.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from bot.gate.caller import MOST, Caller, Stage, documents_of, targets_of
from bot.gate.gate import Gate
from bot.gate.verdict import NOTHING, Verdict
from bot.gate.wire import Answer, Asked, Token, decode
from bot.incident.words import ScopeKind

EXAMPLE = '{"user": "mallory", "endpoint": "/chat", "tools": true}'


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mistyped key is refused: it would be an id that no rule is ever compared with."""

    user: str | None = None
    session: str | None = None
    api_key: str | None = None
    ip: str | None = None
    application: str | None = None
    endpoint: str | None = None
    stage: Literal["request", "response"] = "request"
    tools: bool = False
    """The request carries tools, or the answer calls one."""
    documents: Annotated[list[str], msgspec.Meta(max_length=MOST)] = msgspec.field(default_factory=list)
    """Ids that retrieval wants to use."""

    def caller(self, *, probe: bool) -> Caller:
        targets = targets_of(
            (
                (ScopeKind.USER, self.user),
                (ScopeKind.API_KEY, self.api_key),
                (ScopeKind.IP, self.ip),
                (ScopeKind.SESSION, self.session),
                (ScopeKind.APPLICATION, self.application),
                (ScopeKind.ENDPOINT, self.endpoint),
            )
        )
        return Caller(targets, Stage(self.stage), self.tools, documents_of(self.documents), probe, "decide")


class Reply(msgspec.Struct, frozen=True):
    allow: bool
    outcome: str
    """As in `Outcome`."""
    status: int
    """The HTTP status to answer one's own caller with."""
    incident: str | None
    message: str | None
    """For one's own caller; None where the call may go on."""
    retry_after: int | None
    """Seconds."""
    answer: str | None
    """Safe mode: give this, and do not ask the model."""
    tools: bool
    retrieval: bool
    withheld: tuple[str, ...]

    @classmethod
    def of(cls, verdict: Verdict) -> Reply:
        return cls(
            verdict.allowed, verdict.outcome.value, verdict.status, verdict.reference, verdict.message, verdict.wait,
            verdict.answer, verdict.tools, verdict.retrieval, verdict.withheld,
        )  # fmt: skip


class Plain:
    """The protocol's two ends."""

    def __init__(self, gate: Gate, token: Token) -> None:
        self._gate, self._token = gate, token
        self._decode = msgspec.json.Decoder(Question)
        self._encode = msgspec.json.Encoder().encode
        self._nothing = Answer(200, self._encode(Reply.of(NOTHING)))

    async def __call__(self, asked: Asked) -> Answer:
        question = decode(self._decode, asked.body, EXAMPLE)
        verdict = await self._gate.decide(question.caller(probe=self._token.probe(asked.headers)))
        if verdict is NOTHING:
            return self._nothing
        retry = ((b"retry-after", str(verdict.wait).encode()),) if verdict.wait else ()
        return Answer(200, self._encode(Reply.of(verdict)), retry)
