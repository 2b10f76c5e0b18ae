"""The first look at the log: whose keys could fire at all with any of the thresholds that are tried.

Decides it by the lowest of them: a rule never fires with a higher threshold on what it was quiet about with a lower one.
It may name a key too many, never one too few.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.detection.engine import Engine
from bot.detection.event import Seen
from bot.detection.rule import TriggerRule


class Suspects:
    """The keys that fired under any of these rules."""

    def __init__(self, rules: Sequence[TriggerRule], most_keys: int) -> None:
        self._engine = Engine(rules, most_keys=most_keys * len(rules))
        self._subject_of = self._engine.rules[0].subject_of
        self._keys: set[str] = set()

    @property
    def evictions(self) -> int:
        return self._engine.evictions

    def take(self, some: Sequence[Seen]) -> None:
        found = {(one.subject_kind, one.subject_id, one.app) for one in self._engine.take(some)}
        if not found:
            return
        for seen in some:  # the events that completed them are here, and name the same subject
            if (*self._subject_of(seen.event), seen.event.app) in found and (key := self._key(seen)) is not None:
                self._keys.add(key)

    def has(self, seen: Seen) -> bool:
        return self._key(seen) in self._keys

    def _key(self, seen: Seen) -> str | None:
        return next((key for rule in self._engine.rules if (key := rule.key(seen)) is not None), None)
