"""The states of one rule in this process, and their turn to go when there are too many.

Decides who goes: the key that was not used for longest, nearly. Keys stand in a queue; one that was used since it was put
there gets a second turn at its end (the CLOCK of F. J. Corbató, 1968), so that using a key costs one flag and no move. Also
who is forgotten: whose state has been idle for so long that it can no longer matter.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from bot.detection.compiled import Compiled, Kept

TURNS = 8
"""Keys that are looked at to find one that was not used; then the next goes, used or not."""
EACH = 15
"""A bit mask: idle keys are looked for whenever 16 have come."""


class Room:
    """`states` and `queue` hold the same keys."""

    def __init__(self, rule: Compiled[Any]) -> None:
        self.rule = rule
        self.idle_after = rule.idle_after
        self.states: dict[str, Any] = {}
        self.queue: deque[str] = deque()

    def idle(self, now: float) -> list[tuple[str, Kept]]:
        """Take out idle keys, two for each that came: enough, because nothing but what comes makes a room larger."""
        gone: list[tuple[str, Kept]] = []
        for _ in range(2 * (EACH + 1)):
            if not self.queue:
                break
            state = self.states[self.queue[0]]
            if now - state.touched > self.idle_after:
                gone.append(self._out())
            elif state.used:
                self._again()
            else:
                break
        return gone

    def evict(self) -> tuple[str, Kept]:
        """Take out the key that was not used for longest."""
        for _ in range(TURNS):
            if not self.states[self.queue[0]].used:
                break
            self._again()
        return self._out()

    def _again(self) -> None:
        key = self.queue.popleft()
        self.states[key].used = False
        self.queue.append(key)

    def _out(self) -> tuple[str, Kept]:
        key = self.queue.popleft()
        return key, self.states.pop(key)
