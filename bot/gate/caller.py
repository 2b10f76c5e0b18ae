"""Who asks, as the gate compares it: everything a rule can name, in one form whatever the protocol.

Decides how an id is compared: as a whole, exactly as written, never as a pattern. Where the ids come from is each
protocol's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.incident.redact import UNSTORABLE
from bot.incident.words import ScopeKind

LONGEST = 300
"""Characters of an id that a rule can name (`Rule.scope_id`). Who brings a longer one could not be blocked, so is refused."""
MOST = 1000
"""Documents in one question."""

Target = tuple[ScopeKind, str]

EVERYONE: Target = (ScopeKind.EVERYONE, "")
PERSONS = (ScopeKind.USER, ScopeKind.API_KEY, ScopeKind.IP, ScopeKind.SESSION)
"""Which of a caller's ids stands for it where calls are counted for each subject; the first that it has."""


class Stage(StrEnum):
    REQUEST = "request"
    RESPONSE = "response"


@dataclass(frozen=True, slots=True)
class Caller:
    """One call as the gate sees it. No text of the call is in it."""

    targets: tuple[Target, ...]
    """What rules may name. An id may stand twice under one kind: a key's owner and its end user are both users."""
    stage: Stage = Stage.REQUEST
    tools: bool = False
    """The request carries tools, or the answer calls one."""
    documents: tuple[str, ...] = ()
    """What retrieval wants to use."""
    probe: bool = False
    """Our own verification: decided like any other, counted apart, no event."""
    via: str = "decide"
    """The protocol: `litellm`, `decide` or `auth`."""

    @property
    def subject(self) -> str:
        """One name for whoever calls; empty where nothing is known of it."""
        for kind in PERSONS:
            for has, name in self.targets:
                if has is kind:
                    return f"{kind}/{name}"
        return ""

    @property
    def nameable(self) -> bool:
        """False where an id is longer than any rule can name."""
        for _, name in self.targets:
            if len(name) > LONGEST:
                return False
        return not self.documents or max(map(len, self.documents)) <= LONGEST


def targets_of(ids: Iterable[tuple[ScopeKind, str | None]]) -> tuple[Target, ...]:
    """The ids that are there, each once, as the store would have kept them: what it cannot keep, no rule names."""
    return tuple({(kind, storable(name)): None for kind, name in ids if name})


def storable(name: str) -> str:
    """As alerts are stored (`bot.ingress.body`): an id with a NUL in it must not slip past the rule about it."""
    return name if name.isprintable() else UNSTORABLE.sub("\ufffd", name)


def documents_of(names: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(storable(name) for name in names) if names else ()
