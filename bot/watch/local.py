"""The states in this process: the engine of `bot.detection`, and which events were there before.

Decides nothing of its own: neither method ever gives the loop away, so that what is counted and what is kept of it cannot
come apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bot.detection.engine import Engine
from bot.detection.event import Event, Seen
from bot.detection.finding import Finding
from bot.watch.recent import Recent
from bot.watch.states import identity


class LocalStates:
    """`bot.watch.states.States` for one process."""

    def __init__(self, engine: Engine, recent: Recent) -> None:
        self.engine, self.recent = engine, recent

    async def new(self, events: Sequence[Event]) -> Sequence[bool]:
        add = self.recent.add
        return [(known := identity(event)) is None or add(known) for event in events]

    async def take(self, seen: Sequence[Seen]) -> list[Finding]:
        return self.engine.take(seen)

    @property
    def keys(self) -> int:
        return self.engine.keys

    @property
    def evictions(self) -> int:
        return self.engine.evictions

    @property
    def late(self) -> int:
        return self.engine.late

    @property
    def figures(self) -> Mapping[str, Callable[[], float]]:
        return {}

    async def close(self) -> None:
        return None
