"""More than so many different values within a window: queries with results not seen before.

Decides what counts as a value and as a success. When the rule fires is `window`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.detection.event import Event, Kind, Seen
from bot.detection.finding import Finding
from bot.detection.keys import USER, moment, number, number_of_digest
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
        self._number = number_of_digest if rule.distinct_by.endswith("sha256") else number
        self._results = rule.distinct_by == "result_sha256"

    def key_of(self, seen: Seen) -> str | None:
        event = seen.event
        data = event.data
        if (data is None or data.ok is not True) and not _succeeded(event) and self.require_signals <= 1:
            return None
        user = event.user_id
        if self.exempt and user in self.exempt:
            return None
        if self.user_first and user and event.user_kind is USER:  # as `subject_key` does, without the way there
            return f"{event.app or ''}\0user\0{user}"
        return self.subject_key(seen)

    def step(self, state: Latest, seen: Seen) -> Finding | None:
        event = seen.event
        data = event.data
        value = data.result_sha256 if self._results and data is not None else self._read(event)
        number = self._number
        if not value or self.require_signals > 1:
            return self.count(state, seen, (number(value),) if value and _succeeded(event) else ())
        at = event.occurred_at
        if at.__class__ is not float or at > seen.arrived:
            at = moment(seen)
        if at < state.newest:
            return self.count(state, seen, (number(value),))
        # What nearly every event is: one value, in order.
        if add(state, number(value), at, self.window) <= self.from_here:
            return None
        return self.weigh(state, seen, at, ())


def _succeeded(event: Event) -> bool:
    """Said so; or, of a tool that completed, not said otherwise."""
    data = event.data
    if data is not None and data.ok is not None:
        return data.ok
    return event.kind is Kind.TOOL_RESULT and event.tool is not None and event.tool.completed is True
