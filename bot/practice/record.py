"""The record: an independent log of every API call, envelope, acknowledgement and message version.

A checker reads it to compare what the bot believes with what really reached the workspace. Nothing here is ever
changed after the fact, except that an envelope learns of its acknowledgement.
"""

from __future__ import annotations

import asyncio
import fnmatch
from dataclasses import dataclass, field

from bot.practice.shapes import Json


@dataclass
class Call:
    """One Web API request as it was answered."""

    method: str
    args: Json
    token_kind: str
    """bot, app or unknown; never the token itself"""
    started: float
    """the workspace's clock"""
    seconds: float = 0.0
    status: int = 0
    """HTTP status; 0 where the connection was dropped"""
    answer: Json = field(default_factory=dict)
    done: bool = False
    """true once the method's side effect took place, whatever the app was told"""
    fault: str = ""

    @property
    def ok(self) -> bool:
        """Whether the app was told that it worked."""
        return self.status == 200 and self.answer.get("ok") is True

    @property
    def error(self) -> str:
        """Slack's error code in the answer, or an empty string."""
        return str(self.answer.get("error", ""))


@dataclass
class Ack:
    """One acknowledgement as it came in."""

    envelope_id: str
    payload: Json
    seconds: float
    """from the newest sending of the envelope"""
    late: bool
    nth: int
    """1 for the first acknowledgement of this envelope"""


@dataclass
class Envelope:
    """One thing sent to the app over Socket Mode."""

    id: str
    type: str
    payload: Json
    accepts_response_payload: bool
    sent: list[float] = field(default_factory=list)
    """monotonic times, one for each sending"""
    acks: list[Ack] = field(default_factory=list)
    outcome: str = "pending"
    """pending, acked, expired or undeliverable"""
    waiting: asyncio.Future[Json] | None = field(default=None, repr=False)

    @property
    def acked(self) -> bool:
        """Whether the app acknowledged it in time."""
        return any(not ack.late for ack in self.acks)


@dataclass
class Version:
    """One state of a message: what it said from ``at`` on."""

    channel: str
    ts: str
    at: float
    change: str
    """posted, updated or deleted"""
    text: str
    blocks: list[Json]


@dataclass
class Record:
    """Everything that happened."""

    every_call: list[Call] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    acks: list[Ack] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    hook_posts: list[Json] = field(default_factory=list)
    """posts to response URLs: ``{"url", "body", "status", "answer"}``"""

    def calls(self, method: str | None = None) -> list[Call]:
        """The API calls in order, of one method (``chat.*`` patterns work) or of all."""
        if method is None:
            return list(self.every_call)
        return [call for call in self.every_call if fnmatch.fnmatchcase(call.method, method)]

    def envelope(self, envelope_id: str) -> Envelope:
        """The envelope of that id; raises ``KeyError``."""
        for envelope in reversed(self.envelopes):
            if envelope.id == envelope_id:
                return envelope
        raise KeyError(envelope_id)
