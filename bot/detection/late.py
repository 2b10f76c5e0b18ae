"""Events that came too late for a window: each once, however many rules would have counted it. Pure.

Decides what is one event: the same of one batch. Which window it is too late for is each rule's.
"""

from __future__ import annotations

from bot.detection.event import Seen


class Late:
    """One for all rules of an engine."""

    __slots__ = ("_of_batch", "count")

    def __init__(self) -> None:
        self.count = 0
        self._of_batch: set[int] = set()

    def begin(self) -> None:
        """A batch begins: until the next one its events live, so that each is known by its place in memory."""
        if self._of_batch:
            self._of_batch.clear()

    def tell(self, seen: Seen) -> None:
        if id(seen) not in self._of_batch:
            self._of_batch.add(id(seen))
            self.count += 1
