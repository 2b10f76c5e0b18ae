"""What comes back from a target: an answer, or trouble of which nothing is learnt. Values only.

Decides their form. How bytes become one is `wire`'s and `speech`'s; what it means is `outcomes`'.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TroubleKind(StrEnum):
    """Why an exchange taught nothing."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    REDIRECT = "redirect"
    AUTH = "auth"
    BUSY = "busy"
    """429, or 503 with Retry-After: worth another try."""
    STATUS = "status"
    UNREADABLE = "unreadable"
    """HTML, no JSON, not the form that was agreed, binary garbage."""
    EMPTY = "empty"


@dataclass(frozen=True)
class ToolCall:
    name: str
    arguments: str = ""


@dataclass(frozen=True)
class Answer:
    """What the target said, decoded: over all turns of one conversation."""

    status: int
    said: tuple[str, ...]
    """The text of each turn."""
    tools: tuple[ToolCall, ...] = ()
    seen: str = ""
    """Everything that a client gets to see: all strings of all bodies, decoded."""
    blocked: str | None = None
    """Why it is the guardrail's refusal: the status or the marker that the target's settings name."""
    refused: bool = False
    """The model says so itself, in a field of its own."""
    version: str | None = None
    conversation: str | None = None
    """What the next turn goes on with."""
    digest: str = ""
    """SHA-256 of the last body."""
    milliseconds: int = 0

    @property
    def text(self) -> str:
        """Of the last turn."""
        return self.said[-1] if self.said else ""


@dataclass(frozen=True)
class Trouble:
    kind: TroubleKind
    words: str
    """For people: what happened. Never a body or an address."""
    seen: str = ""
    """What could be read nevertheless, as it came: a leak in an error is a leak."""
    status: int | None = None
    said: tuple[str, ...] = ()
    """Of the turns before."""
    tools: tuple[ToolCall, ...] = ()
    retry_after: float | None = None
    """Seconds that the target asks for."""
    digest: str = ""
    milliseconds: int = 0
