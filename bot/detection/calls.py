"""One tool call told in pieces: that it was not authorised by the gateway, that it completed by the tool.

Decides that what several events say of the same call (`tool.call_id`, of one key) is known together, each fact as it was said
last. Leaves what is then a hit to `match`. Of a call that is told whole, nothing is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.detection.event import Seen, Tool
from bot.detection.finding import Finding
from bot.detection.keys import number
from bot.detection.match import Match
from bot.detection.rule import MatchRule
from bot.detection.single import Hits

MOST = 64
"""Calls told in pieces that one key remembers: the latest."""
TOLD = frozenset({"authorized", "completed", "side_effect"})
Facts = tuple[bool | None, bool | None, bool | None]


class Calls(Hits, array_like=True, gc=False):
    calls: dict[int, Facts] = msgspec.field(default_factory=dict)
    """Whether the call was authorised, completed, and had a side effect, as far as it was said."""


class ToolMatch(Match):
    def __init__(self, trigger: str, rule_id: str, rule: MatchRule, *, without: Sequence[str] = ()) -> None:
        super().__init__(trigger, rule_id, rule, without=without)
        self._decode = msgspec.msgpack.Decoder(Calls).decode

    @classmethod
    def suits(cls, rule: MatchRule) -> bool:
        """The rule asks what became of a tool call."""
        return any(TOLD & set(where) for where in (rule.where, *rule.or_where))

    def fresh(self) -> Calls:
        return Calls()

    def key_of(self, seen: Seen) -> str | None:
        event = seen.event
        if _piece(event.tool) is None or event.user_id in self.exempt:
            return Match.key_of(self, seen)
        return self.subject_key(seen) or Match.key_of(self, seen)

    def step(self, state: Hits, seen: Seen) -> Finding | None:
        tool = seen.event.tool
        told = _piece(tool)
        if told is None or tool is None or not isinstance(state, Calls):
            return super().step(state, seen)
        call = number(tool.call_id or "")
        before = state.calls.pop(call, (None, None, None))
        authorized, completed, side_effect = (b if t is None else t for t, b in zip(told, before, strict=True))
        state.calls[call] = (authorized, completed, side_effect)
        while len(state.calls) > MOST:
            del state.calls[next(iter(state.calls))]
        whole = msgspec.structs.replace(tool, authorized=authorized, completed=completed, side_effect=side_effect)
        event = msgspec.structs.replace(seen.event, tool=whole)
        return super().step(state, msgspec.structs.replace(seen, event=event))


def _piece(tool: Tool | None) -> Facts | None:
    """What is said of a call that another event may complete; None where nothing is said, or all."""
    if tool is None or not tool.call_id:
        return None
    authorized, completed, side_effect = tool.authorized, tool.completed, tool.side_effect
    if authorized is not None and completed is not None and side_effect is not None:
        return None
    told = (authorized, completed, side_effect)
    return told if told != (None, None, None) else None
