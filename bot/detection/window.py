"""A window of distinct values as a rule: values of events in, a finding out when there are too many.

Decides what happens with the values of one event, and what a finding tells of them. What a value is, is each primitive's
(`distinct`, `patterns`); how the window slides is `latest`'s. Monotone: with more events it never fires less, so in whatever
order they come within the lateness, the same keys fire.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from bot.detection.compiled import AGAIN, EVIDENCE, Compiled
from bot.detection.event import Mark, Seen
from bot.detection.finding import Finding
from bot.detection.keys import LATENESS, moment
from bot.detection.latest import SPARE, Latest, More, add, add_late, held, more, most_held, over, size, spread, tidy
from bot.detection.rule import DistinctRule, PatternsRule
from bot.detection.signals import enough, remember, signals_of


class Window(Compiled[Latest]):
    """What both primitives share."""

    words: str

    def __init__(
        self, trigger: str, rule_id: str, rule: DistinctRule | PatternsRule, *, without: Sequence[str] = ()
    ) -> None:
        super().__init__(trigger, rule_id, rule, without=without)
        self.more_than = rule.more_than
        self.window = rule.window_minutes * 60.0
        self.idle_after = max(self.window, self.cool_down) + 2 * LATENESS
        self.from_here = max(0, self.more_than + 1 - EVIDENCE)
        """Ids of events are kept from so many values on: the latest of the evidence are wanted, not all."""
        self._most = SPARE * (self.more_than + 1)
        """Values that are kept when there are half as many again."""
        self._too_many = self._most * 3 // 2
        self._decode = msgspec.msgpack.Decoder(Latest).decode

    def fresh(self) -> Latest:
        return Latest()

    def unpack(self, packed: bytes) -> Latest:
        return self._decode(packed)

    def count(self, state: Latest, seen: Seen, values: Collection[int], marks: Sequence[Mark] = ()) -> Finding | None:
        """Values of one event. None of them: the event is a signal only."""
        at = moment(seen)
        newest = state.newest
        if at < newest - LATENESS:
            self.late.tell(seen)
            return None
        put = add if at >= newest else add_late
        new = False
        for value in values:
            new = put(state, value, at, self.window) > 0 or new
        if self.require_signals > 1:
            new = self._signalled(state, seen, at) or new
        if not new or size(state) <= self.from_here:
            return None
        return self.weigh(state, seen, at, marks)

    def _signalled(self, state: Latest, seen: Seen, at: float) -> bool:
        names = self.beside(seen)
        spread(state)
        rest = more(state)
        rest.signals = remember(rest.signals, names, at)
        state.newest = max(state.newest, at)
        return bool(names)

    def beside(self, seen: Seen) -> set[str]:
        """Signals of an event that the rule does not count itself."""
        return signals_of(seen)

    def weigh(self, state: Latest, seen: Seen, at: float, marks: Sequence[Mark]) -> Finding | None:
        """Keep the event as evidence, and see whether a window holds."""
        rest = state.more or more(state)
        event = seen.event
        name = event.event_id or event.source_event_id or event.call_id
        if name:
            ids = rest.event_ids
            if ids is None:
                rest.event_ids = [at, name]
            else:
                ids += (at, name)
                if len(ids) > 4 * EVIDENCE:  # up to twice as much as is told, so that it is seldom cut
                    del ids[: 2 * EVIDENCE]
        if marks:
            rest.marks = [*(rest.marks or ()), *((at, mark) for mark in marks)][-EVIDENCE:]
        values = state.values
        count = 1 if values is None else len(values)
        if count > self._too_many:
            tidy(state, state.newest - self.window - LATENESS, self._most)
        if count <= self.more_than or abs(at - state.told) < AGAIN:
            return None
        return self._look(state, rest, seen, at)

    def _look(self, state: Latest, rest: More, seen: Seen, at: float) -> Finding | None:
        if at >= state.newest:
            if not over(state, self.more_than, at - self.window):
                return None
            (count, started), end = held(state, at - self.window), at
        else:
            count, end = most_held(state, at, self.window)
            started = max(end - self.window, min(spread(state).values()))
        if count <= self.more_than or not enough(self.require_signals, rest.signals, end - self.window):
            return None
        first = self.tells(state, at)
        if first is None:
            return None
        ids = rest.event_ids or []
        return self.finding(
            seen,
            first=first,
            started=started,
            counts={self.words: count},
            window=self.window,
            event_ids=[str(name) for when, name in zip(ids[::2], ids[1::2], strict=True) if float(when) >= started],
            marks=[mark for when, mark in rest.marks or () if when >= started],
        )
