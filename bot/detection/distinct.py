"""More than so many different values within a window: queries with results not seen before.

Decides what counts as a value and as a success. When the rule fires is `window`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.detection.compiled import Begin, Count, Known
from bot.detection.event import Event, Kind, Seen
from bot.detection.finding import Finding
from bot.detection.keys import USER, known_as, known_as_digest, moment
from bot.detection.latest import Latest, add
from bot.detection.rule import DistinctRule
from bot.detection.window import Window

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


class Distinct(Window):
    """Of what the rule counts by, among events that succeeded."""

    def __init__(self, trigger: str, rule_id: str, rule: DistinctRule, *, without: Sequence[str] = ()) -> None:
        super().__init__(trigger, rule_id, rule, without=without)
        self.words, self._read = READ[rule.distinct_by]
        self._known_as = known_as_digest if rule.distinct_by.endswith("sha256") else known_as
        self._results = rule.distinct_by == "result_sha256"

    def key_of(self, seen: Seen) -> str | None:
        event = seen.event
        if self.require_signals <= 1 and not _succeeded(event):
            return None
        if self.exempt and event.user_id in self.exempt:
            return None
        return self.subject_key(seen)

    def step(self, state: Latest, seen: Seen) -> Finding | None:
        value = self._read(seen.event)
        if not value or self.require_signals > 1:
            return self.count(state, seen, (self._known_as(value),) if value and _succeeded(seen.event) else ())
        return self.count_one(state, seen, self._known_as(value))

    def counter(self, known: Known[Latest], begin: Begin[Latest]) -> Count:
        """Nearly every event is the result of a query that succeeded, of a user."""
        any_event = super().counter(known, begin)
        if not self._results or not self.user_first or self.require_signals > 1:
            return any_event
        exempt, count_late = self.exempt, self.count
        window, most, from_here, weigh = self.window, self.most, self.from_here, self.weigh

        def count(seen: Seen) -> Finding | None:
            event = seen.event
            data, user = event.data, event.user_id
            if data is None or data.ok is not True or not user or event.user_kind is not USER:
                return any_event(seen)
            value = data.result_sha256
            if not value or (exempt and user in exempt):
                return any_event(seen)
            key = f"{event.app or ''}\0user\0{user}"
            arrived = seen.arrived
            state = known(key)
            if state is None:
                state = begin(key, arrived)
            elif not state.used:
                state.used = True
            state.touched = arrived
            at = event.occurred_at
            if at.__class__ is not float or at > arrived:
                at = moment(seen)
            if at < state.newest:
                return count_late(state, seen, (known_as_digest(value),))
            if add(state, known_as_digest(value), at, window, most) <= from_here:
                return None
            return weigh(state, seen, at, ())

        return count


def _succeeded(event: Event) -> bool:
    """Said so; or, of a tool that completed, not said otherwise."""
    data = event.data
    if data is not None and data.ok is not None:
        return data.ok
    return event.kind is Kind.TOOL_RESULT and event.tool is not None and event.tool.completed is True
