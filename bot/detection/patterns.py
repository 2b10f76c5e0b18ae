"""More than so many different kinds of probing within a window, each a scan's mark or a source's signal.

Decides which marks and signals are kinds of probing: what an answer says is none. When the rule fires is `window`'s.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.detection.compiled import MARKS, SIGNALS, VERDICTS, Begin, Count, Known
from bot.detection.event import Mark, MarkKind, Seen, Stage
from bot.detection.finding import Finding
from bot.detection.keys import known_as
from bot.detection.latest import Latest
from bot.detection.rule import PatternsRule
from bot.detection.signals import signals_of
from bot.detection.window import Window


class Patterns(Window):
    """Kinds of probing: marks of a scan, signals of a source. What an answer says is no probing."""

    words = "kinds of probing"
    facets = MARKS | SIGNALS

    def __init__(self, trigger: str, rule_id: str, rule: PatternsRule, *, without: Sequence[str] = ()) -> None:
        super().__init__(trigger, rule_id, rule, without=without)
        self._names = {name: known_as(name) for name in (*rule.patterns, *(own.id for own in rule.own))}
        if self.require_signals > 1:
            self.facets = MARKS | SIGNALS | VERDICTS

    def key_of(self, seen: Seen) -> str | None:
        names = self._names
        for signal in seen.event.signals:
            if signal.name in names:
                break
        else:
            if self.require_signals <= 1 and not self._marks(seen):
                return None
        if self.exempt and seen.event.user_id in self.exempt:
            return None
        key = self.subject_key
        return key(seen)

    def step(self, state: Latest, seen: Seen) -> Finding | None:
        names, signals = self._names, seen.event.signals
        if len(signals) == 1 and not seen.marks and self.require_signals <= 1:
            return self.count_one(state, seen, names[signals[0].name])
        marks = self._marks(seen)
        values = {names[signal.name] for signal in signals if signal.name in names}
        values.update([names[mark.name] for mark in marks])
        return self.count(state, seen, values, marks)

    def counter(self, known: Known[Latest], begin: Begin[Latest]) -> Count:
        """Nearly every event is one signal of a source, without a scan's mark."""
        any_event = super().counter(known, begin)
        if self.require_signals > 1:
            return any_event
        names, subject_key, exempt, count_one = self._names, self.subject_key, self.exempt, self.count_one

        def count(seen: Seen) -> Finding | None:
            event = seen.event
            if seen.marks or len(event.signals) != 1 or (exempt and event.user_id in exempt):
                return any_event(seen)
            value = names.get(event.signals[0].name)
            key = subject_key(seen)
            if value is None or key is None:
                return None
            arrived = seen.arrived
            state = known(key)
            if state is None:
                state = begin(key, arrived)
            elif not state.used:
                state.used = True
            state.touched = arrived
            return count_one(state, seen, value)

        return count

    def _marks(self, seen: Seen) -> Sequence[Mark]:
        if not seen.marks or seen.event.stage is Stage.OUTPUT:
            return ()
        return [
            mark
            for mark in seen.marks
            if mark.kind is MarkKind.PROBE and mark.name in self._names and mark.excluded not in self.exclusions
        ]

    def beside(self, seen: Seen) -> set[str]:
        return signals_of(seen) - self._names.keys()
