"""Where the state of the triggers is kept, as the watch sees it: in this process, or in Valkey for many (`valkey`).

Decides the one interface of both, and what was seen before. What a state is, and when it fires, is `bot.detection.engine`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from bot.detection.event import Event, Seen
from bot.detection.finding import Finding


class States(Protocol):
    """One for a process. Called by one batch after the other, never by two at once."""

    async def new(self, events: Sequence[Event]) -> Sequence[bool]:
        """For each event whether it is one that was not there before, and remember it: by `identity`, and where that is None
        always true. Twice the same within one call: the second is not new. Memory of ids is bounded."""
        ...

    async def take(self, seen: Sequence[Seen]) -> list[Finding]:
        """Count them, in this order, and return what fired. Raises StatesAway where nothing of it was counted."""
        ...

    @property
    def keys(self) -> int:
        """Keys that are held, over all triggers; -1 where that is not known."""
        ...

    @property
    def evictions(self) -> int:
        """Keys that were dropped because there were too many, since the start."""
        ...

    @property
    def late(self) -> int:
        """Events that were later than the allowed lateness, since the start."""
        ...

    @property
    def figures(self) -> Mapping[str, Callable[[], float]]:
        """What else can be told of them, by the names of `metrics.GAUGES`."""
        ...

    async def close(self) -> None: ...


class StatesAway(Exception):
    """The states are out of reach: what was to be counted is kept by the watch and counted once they are back."""


def identity(event: Event) -> tuple[str, str] | None:
    """Source, and the id by which a redelivery is told; None where the event has no id: then each counts."""
    known = event.source_event_id or event.event_id
    return None if known is None else (event.source or "", known)
