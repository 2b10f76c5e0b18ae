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
from bot.detection.latest import SPARE, Latest, More, add, add_late, held, more, most_held, size, spread, tidy
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
        self.most = SPARE * (self.more_than + 1)
        """Values that are kept when there are half as many again."""
        self._decode = msgspec.msgpack.Decoder(Latest).decode

    def fresh(self) -> Latest:
        return Latest()

    def unpack(self, packed: bytes) -> Latest:
        return self._decode(packed)

    def count(self, state: Latest, seen: Seen, values: Collection[bytes], marks: Sequence[Mark] = ()) -> Finding | None:
        """Values of one event. None of them: the event is a signal only."""
        at = moment(seen)
        newest = state.newest
        if at < newest - LATENESS:
            self.late.tell(seen)
            return None
        new = 0
        if at >= newest:
            for value in values:
                new = add(state, value, at, self.window, self.most) or new
        elif values:
            for value in values:
                new = add_late(state, value, at, self.window) or new
            if size(state) > self.most * 3 // 2:
                tidy(state, newest - self.window - LATENESS, self.most)
        if self.require_signals > 1 and self._signalled(state, seen, at):
            new = 1
        if not new or size(state) <= self.from_here:
            return None
        return self.weigh(state, seen, at, marks)

    def count_one(self, state: Latest, seen: Seen, value: bytes) -> Finding | None:
        """`count` of one value where no signals are wanted: what nearly every event is."""
        at = seen.event.occurred_at
        if at.__class__ is not float or at > seen.arrived:
            at = moment(seen)
        if at < state.newest:
            return self.count(state, seen, (value,))
        if add(state, value, at, self.window, self.most) <= self.from_here:
            return None
        return self.weigh(state, seen, at, ())

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
                ids = rest.event_ids = []
            ids.append(at)
            ids.append(name)
            if len(ids) > 4 * EVIDENCE:  # up to twice as much as is told, so that it is seldom cut
                del ids[: 2 * EVIDENCE]
        if marks:
            rest.marks = [*(rest.marks or ()), *((at, mark) for mark in marks)][-EVIDENCE:]
        if abs(at - state.told) < AGAIN or size(state) <= self.more_than:
            return None
        return self._look(state, rest, seen, at)

    def _look(self, state: Latest, rest: More, seen: Seen, at: float) -> Finding | None:
        if at >= state.newest:
            holds = held(state, self.more_than, at - self.window)
            if holds is None:
                return None
            (count, started), end = holds, at
        else:
            count, end = most_held(state, at, self.window)
            started = max(end - self.window, min(spread(state).values()))
        if count <= self.more_than or not enough(self.require_signals, rest.signals, end - self.window):
            return None
        first = self.opens(state, at)
        ids = (rest.event_ids or [])[-2 * EVIDENCE :]
        return self.finding(
            seen,
            first=first,
            started=started,
            counts={self.words: count},
            window=self.window,
            event_ids=[str(name) for when, name in zip(ids[::2], ids[1::2], strict=True) if float(when) >= started],
            marks=[mark for when, mark in rest.marks or () if when >= started],
        )
