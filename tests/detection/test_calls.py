"""A tool call that is told in pieces is one call, also after its state was put away and taken out again."""

from __future__ import annotations

from bot.detection.calls import MOST, ToolMatch
from bot.detection.event import Event, Kind, Seen, Tool
from bot.detection.rule import MatchRule

RULE = MatchRule.model_validate(
    {
        "primitive": "match",
        "key": ["user"],
        "events": ["tool_call", "tool_result"],
        "where": {"completed": True, "side_effect": True, "authorized": False},
        "exempt_users": ["batch"],
    }
)


def told(call: str, at: float = 0.0, user: str = "mallory", **facts: bool) -> Seen:
    tool = Tool(name="transfer", call_id=call, **facts)
    return Seen(event=Event(kind=Kind.TOOL_CALL, occurred_at=1_800_000_000.0 + at, user_id=user, tool=tool))


def test_a_denial_and_a_completion_of_one_call_are_found_together_after_a_restart() -> None:
    rule = ToolMatch("tool", "tool", RULE)
    state = rule.fresh()
    assert rule.step(state, told("c", authorized=False)) is None
    state = rule.unpack(rule.pack(state))
    finding = rule.step(state, told("c", 5.0, completed=True, side_effect=True))
    assert finding is not None and finding.first


def test_only_a_call_that_is_told_in_pieces_is_kept() -> None:
    rule = ToolMatch("tool", "tool", RULE)
    assert rule.key(told("c", completed=True, side_effect=True, authorized=True)) is None
    assert rule.key(told("c")) is None
    assert rule.key(told("c", user="batch", authorized=False)) is None
    assert rule.key(told("c", authorized=False)) is not None


def test_the_calls_that_a_key_remembers_are_bounded() -> None:
    rule = ToolMatch("tool", "tool", RULE)
    state = rule.fresh()
    for number in range(3 * MOST):
        rule.step(state, told(f"c{number}", authorized=False))
    assert len(rule.pack(state)) < 20 * MOST
