"""Which rules an event is put to: found by its application, its kind and what it carries, so that the others cost nothing.

Decides nothing about an event: a rule that is left out would have answered that it is not about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from bot.detection.compiled import MARKS, SIGNALS, VERDICTS, Compiled
from bot.detection.event import Kind, Seen

T = TypeVar("T")
Row = tuple[tuple[T, ...], ...]
"""By the facets of an event, from none to all of them."""


class Index(Generic[T]):
    """What to do for each rule (`entry`), by event."""

    def __init__(self, rules: Sequence[Compiled[Any]], entry: Callable[[Compiled[Any]], T]) -> None:
        named = {app for rule in rules for app in (*rule.apps, *rule.without)}
        entries = [(rule, entry(rule)) for rule in rules]
        self.named: Mapping[str | None, Mapping[Kind, Row[T]]] = {app: _table(entries, app) for app in named}
        """For applications that some rule names: by kind of event, then by its facets."""
        self.others = _table(entries, None)

    def of(self, seen: Seen) -> tuple[T, ...]:
        """For one event. The engine looks it up by itself: a call for each event costs it a tenth of its time."""
        facets = (VERDICTS if seen.event.verdicts else 0) | (MARKS if seen.marks else 0)
        facets |= SIGNALS if seen.event.signals else 0
        return self.named.get(seen.event.app, self.others)[seen.event.kind][facets]


def _table(entries: Sequence[tuple[Compiled[Any], T]], app: str | None) -> dict[Kind, Row[T]]:
    about = [(rule, entry) for rule, entry in entries if rule.for_app(app)]
    return {kind: _row([pair for pair in about if kind in pair[0].kinds]) for kind in Kind}


def _row(about: Sequence[tuple[Compiled[Any], T]]) -> Row[T]:
    return tuple(
        tuple(entry for rule, entry in about if not rule.facets or rule.facets & facets)
        for facets in range((VERDICTS | MARKS | SIGNALS) + 1)
    )
