"""More than so many different values within a window: queries with results not seen before, kinds of probing.

Decides what counts as a value and as a success, and when the rule fires. How the window slides is `latest`'s. Monotone: with
more events it never fires less, so in whatever order they come within the lateness, the same keys fire.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import msgspec

from bot.detection.compiled import AGAIN, EVIDENCE, MARKS, SIGNALS, VERDICTS, Compiled
from bot.detection.event import Event, Kind, Mark, MarkKind, Seen, Stage
from bot.detection.finding import Finding
from bot.detection.keys import LATENESS, event_name, moment, number, number_of_digest
from bot.detection.latest import SPARE, Latest, add, add_late, held, most_held, tidy
from bot.detection.rule import DistinctRule, PatternsRule
from bot.detection.signals import enough, remember, signals_of

R = TypeVar("R", DistinctRule, PatternsRule)

READ: dict[str, tuple[str, Callable[[Event], str | None]]] = {
    "result_sha256": ("distinct results", lambda event: event.data.result_sha256 if event.data else None),
    "query_sha256": ("distinct queries", lambda event: event.data.query_sha256 if event.data else None),
    "args_sha256": ("distinct arguments", lambda event: event.tool.args_sha256 if event.tool else None),
    "call_id": ("distinct calls", lambda event: (event.tool and event.tool.call_id) or event.call_id),
    "session_id": ("distinct sessions", lambda event: event.session_id),
    "user_id": ("distinct users", lambda event: event.user_id),
    "endpoint": ("distinct endpoints", lambda event: event.endpoint),
    "tool": ("distinct tools", lambda event: event.tool.name if event.tool else None),
}
"""`distinct_by`: in a finding's words, and how it is read."""


class Window(Compiled[Latest]):
    """What both primitives share: values in, a finding out."""

    words: str

    def __init__(
        self, trigger: str, rule_id: str, rule: DistinctRule | PatternsRule, *, without: Sequence[str] = ()
    ) -> None:
        super().__init__(trigger, rule_id, rule, without=without)
        self.more_than = rule.more_than
        self.window = rule.window_minutes * 60.0
        self.idle_after = max(self.window, self.cool_down) + 2 * LATENESS
        self._from_here = max(0, self.more_than + 1 - EVIDENCE)
        """Ids of events are kept from so many values on: the latest of the evidence are wanted, not all."""
        self._most = SPARE * (self.more_than + 1)
        """Values that are kept when there are half as many again."""
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
            self.late += 1
            return None
        more = False
        if at >= newest:
            for value in values:
                more = add(state, value, at, self.window) or more
        else:
            for value in values:
                more = add_late(state, value, at, self.window) or more
        if self.require_signals > 1:
            more = self._signalled(state, seen, at) or more
        if not more or len(state.values) <= self._from_here:
            return None
        return self._weigh(state, seen, at, marks)

    def _signalled(self, state: Latest, seen: Seen, at: float) -> bool:
        names = signals_of(seen)
        state.signals = remember(state.signals, names, at)
        state.newest = max(state.newest, at)
        return bool(names)

    def _weigh(self, state: Latest, seen: Seen, at: float, marks: Sequence[Mark]) -> Finding | None:
        _keep(state, seen, at, marks)
        if len(state.values) > self._most * 3 // 2:
            tidy(state, state.newest - self.window - LATENESS, self._most)
        if len(state.values) + len(state.ended or ()) <= self.more_than or abs(at - state.told) < AGAIN:
            return None
        if at >= state.newest:
            (count, started), end = held(state, at - self.window), at
        else:
            count, end = most_held(state, at, self.window)
            started = max(end - self.window, min(state.values.values()))
        if count <= self.more_than or not enough(self.require_signals, state.signals, end - self.window):
            return None
        first = self.tells(state, at)
        if first is None:
            return None
        return self.finding(
            seen,
            first=first,
            started=started,
            counts={self.words: count},
            window=self.window,
            event_ids=[name for when, name in state.event_ids or () if when >= started],
            marks=[mark for when, mark in state.marks or () if when >= started],
        )


def _keep(state: Latest, seen: Seen, at: float, marks: Sequence[Mark]) -> None:
    """The latest of the evidence: up to twice as much as is told, so that it is seldom cut."""
    name = event_name(seen.event)
    if name:
        if state.event_ids is None:
            state.event_ids = []
        state.event_ids.append((at, name))
        if len(state.event_ids) > 2 * EVIDENCE:
            del state.event_ids[:EVIDENCE]
    if marks:
        state.marks = [*(state.marks or ()), *((at, mark) for mark in marks)][-EVIDENCE:]


class Distinct(Window):
    """Of what the rule counts by, among events that succeeded."""

    def __init__(self, trigger: str, rule_id: str, rule: DistinctRule, *, without: Sequence[str] = ()) -> None:
        super().__init__(trigger, rule_id, rule, without=without)
        self.words, self._read = READ[rule.distinct_by]
        self._number = number_of_digest if rule.distinct_by.endswith("sha256") else number

    def key_of(self, seen: Seen) -> str | None:
        event = seen.event
        data = event.data
        if (data is None or data.ok is not True) and not _succeeded(event) and self.require_signals <= 1:
            return None
        if self.exempt and event.user_id in self.exempt:
            return None
        return self.subject_key(seen)

    def step(self, state: Latest, seen: Seen) -> Finding | None:
        event = seen.event
        value = self._read(event)
        if self.require_signals > 1:
            return self.count(state, seen, (self._number(value),) if value and _succeeded(event) else ())
        if not value:
            return None
        at = moment(seen)
        if at < state.newest:
            return self.count(state, seen, (self._number(value),))
        # What nearly every event is, without the detours: one value, in order.
        if not add(state, self._number(value), at, self.window) or len(state.values) <= self._from_here:
            return None
        return self._weigh(state, seen, at, ())


def _succeeded(event: Event) -> bool:
    """Said so; or, of a tool that completed, not said otherwise."""
    data = event.data
    if data is not None and data.ok is not None:
        return data.ok
    return event.kind is Kind.TOOL_RESULT and event.tool is not None and event.tool.completed is True


class Patterns(Window):
    """Kinds of probing: marks of a scan, signals of a source. What an answer says is no probing."""

    words = "kinds of probing"
    facets = MARKS | SIGNALS

    def __init__(self, trigger: str, rule_id: str, rule: PatternsRule, *, without: Sequence[str] = ()) -> None:
        super().__init__(trigger, rule_id, rule, without=without)
        self._names = {name: number(name) for name in (*rule.patterns, *(own.id for own in rule.own))}
        if self.require_signals > 1:
            self.facets = MARKS | SIGNALS | VERDICTS

    def key_of(self, seen: Seen) -> str | None:
        if self.require_signals <= 1 and not self._counts(seen):
            return None
        if self.exempt and seen.event.user_id in self.exempt:
            return None
        return self.subject_key(seen)

    def _counts(self, seen: Seen) -> bool:
        for signal in seen.event.signals:
            if signal.name in self._names:
                return True
        return bool(self._marks(seen))

    def step(self, state: Latest, seen: Seen) -> Finding | None:
        names, marks = self._names, self._marks(seen)
        values = {names[signal.name] for signal in seen.event.signals if signal.name in names}
        values.update([names[mark.name] for mark in marks])
        return self.count(state, seen, values, marks)

    def _marks(self, seen: Seen) -> Sequence[Mark]:
        if not seen.marks or seen.event.stage is Stage.OUTPUT:
            return ()
        return [
            mark
            for mark in seen.marks
            if mark.kind is MarkKind.PROBE and mark.name in self._names and mark.excluded not in self.exclusions
        ]

    def _signalled(self, state: Latest, seen: Seen, at: float) -> bool:
        """A kind of probing is what the rule counts, and no further signal."""
        names = signals_of(seen) - self._names.keys()
        state.signals = remember(state.signals, names, at)
        state.newest = max(state.newest, at)
        return bool(names)
