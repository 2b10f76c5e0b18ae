"""The conditions of a match rule, made ready to be tried on events.

Decides how each value is read from an event, and when a condition holds for it: what is not known holds only where the rule
asks for it (`null`, `or_unknown`). Which values and forms there are is `condition`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple, assert_never

from bot.detection.condition import AtLeast, Condition, OneOf, Pattern
from bot.detection.event import Event, Outcome, Verdict
from bot.detection.scan.own import compile_pattern

Test = Callable[[object], bool]

FLAGGED: Final = frozenset({Outcome.FLAG, Outcome.BLOCK})
EVENT: Final = (
    "stage", "delivered", "refused", "endpoint", "environment", "tenant", "model", "model_version", "tokens", "latency_ms",
)  # fmt: skip
TOOL: Final = ("tool", "authorized", "completed", "side_effect")
DATA: Final = ("ok", "rows", "classification")
VERDICT: Final[Mapping[str, Callable[[Verdict], object]]] = {
    "flagged": lambda verdict: verdict.outcome in FLAGGED,
    "outcome": lambda verdict: verdict.outcome,
    "guardrail": lambda verdict: verdict.guardrail,
    "score": lambda verdict: verdict.score,
    "rule_id": lambda verdict: verdict.rule_id,
}


class Held(NamedTuple):
    """What of an event the conditions held for."""

    guardrail: str | None
    """Where some of them were about a verdict."""


def holds(condition: Condition) -> Test:
    """Raises ValueError for a pattern that cannot run in linear time."""
    match condition:
        case AtLeast():
            return lambda fact: (
                condition.or_unknown if fact is None else isinstance(fact, int | float) and fact >= condition.at_least
            )
        case OneOf():
            words = frozenset(condition.one_of)
            return lambda fact: isinstance(fact, str) and fact in words
        case Pattern():
            found = compile_pattern(condition.pattern).finds
            return lambda fact: isinstance(fact, str) and found(fact)
        case bool() | None:
            return lambda fact: fact is condition
        case str():
            return lambda fact: isinstance(fact, str) and fact == condition
        case _:
            assert_never(condition)


class Conditions:
    """One `where`: every condition holds, those about a verdict all for the same one."""

    def __init__(self, where: Mapping[Any, Condition], *, allowed_categories: Collection[str] = ()) -> None:
        tests = {name: holds(condition) for name, condition in where.items()}
        stage = where.get("stage")
        self.stage = stage if isinstance(stage, str) else None
        """Nothing of another stage can hold."""
        self._event = [(name, tests[name]) for name in EVENT if name in tests]
        self._tool_is = [
            (name, fact) for name in TOOL if (fact := where.get(name, "")) is None or isinstance(fact, bool)
        ]
        """Asked without a call: of most tool calls, the first of these says that they are what they should be."""
        self._tool = [("name" if name == "tool" else name, tests[name]) for name in TOOL if name in tests]
        self._data = [(name, tests[name]) for name in DATA if name in tests]
        self._verdict = [(VERDICT[name], tests[name]) for name in VERDICT if name in tests]
        self._category = tests.get("category")
        self._signal = tests.get("signal")
        self._allowed = frozenset(allowed_categories)
        self.needs_verdict = any(not test(None) for _, test in self._verdict) or not _unknown(self._category)
        """No event without a verdict can hold."""

    def of(self, event: Event) -> Held | None:
        for name, test in self._event:
            if not test(getattr(event, name)):
                return None
        tool = event.tool
        for name, fact in self._tool_is:
            if getattr(tool, name, None) is not fact:
                return None
        for name, test in self._tool:
            if not test(getattr(tool, name, None)):  # of a tool that is not there at all, nothing is known
                return None
        for name, test in self._data:
            if not test(getattr(event.data, name, None)):
                return None
        if self._signal is not None and not _any(self._signal, [signal.name for signal in event.signals]):
            return None
        return self._verdicts(event) if self._verdict or self._category else Held(None)

    def _verdicts(self, event: Event) -> Held | None:
        for verdict in event.verdicts:
            categories = verdict.categories
            if self._allowed and categories and self._allowed.issuperset(categories):
                continue
            if all(test(read(verdict)) for read, test in self._verdict) and _any(self._category, categories):
                return Held(verdict.guardrail)
        return None if event.verdicts or self.needs_verdict else Held(None)


def _unknown(test: Test | None) -> bool:
    return test is None or test(None)


def _any(test: Test | None, facts: Collection[object]) -> bool:
    return test is None or any(map(test, facts or (None,)))
