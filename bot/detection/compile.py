"""Triggers' rules to rules that count: one for each, and one more for each application that overrides it.

Decides which class carries a primitive out, and the name under which a rule's states are kept: the trigger's, so that they
outlive a change of thresholds. An application with settings of its own keeps the name, and so its states.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, assert_never

from bot.detection.calls import ToolMatch
from bot.detection.compiled import Compiled
from bot.detection.distinct import Distinct
from bot.detection.drift import Drift
from bot.detection.fragments import Fragments
from bot.detection.leaks import OwnerMismatch, Secrets
from bot.detection.match import Match
from bot.detection.patterns import Patterns
from bot.detection.ratio import Ratio
from bot.detection.rule import (
    DistinctRule,
    DriftRule,
    FragmentsRule,
    MatchRule,
    OwnerMismatchRule,
    PatternsRule,
    RatioRule,
    Rule,
    ScannerRule,
    TriggerRule,
)


def compiled(rules: Sequence[TriggerRule]) -> list[Compiled[Any]]:
    """In the order of the rules. Raises ValueError for a pattern that cannot run in linear time."""
    return list(_compiled(rules))


def _compiled(rules: Sequence[TriggerRule]) -> Iterator[Compiled[Any]]:
    named = Counter[str]()
    for trigger, rule in rules:
        name = f"{trigger}:fleet" if "fleet" in rule.key else trigger
        named[name] += 1
        rule_id = name if named[name] == 1 else f"{name}:{named[name]}"
        yield _made(trigger, rule_id, rule, without=tuple(rule.overrides))
        for app in rule.overrides:
            if rule.apps and app not in rule.apps:
                continue
            yield _made(trigger, rule_id, rule.for_app(app).model_copy(update={"apps": (app,)}))


def _made(trigger: str, rule_id: str, rule: Rule, *, without: Sequence[str] = ()) -> Compiled[Any]:
    match rule:
        case MatchRule():
            made = ToolMatch if ToolMatch.suits(rule) else Match
            return made(trigger, rule_id, rule, without=without)
        case DistinctRule():
            return Distinct(trigger, rule_id, rule, without=without)
        case RatioRule():
            return Ratio(trigger, rule_id, rule, without=without)
        case FragmentsRule():
            return Fragments(trigger, rule_id, rule, without=without)
        case PatternsRule():
            return Patterns(trigger, rule_id, rule, without=without)
        case ScannerRule():
            return Secrets(trigger, rule_id, rule, without=without)
        case OwnerMismatchRule():
            return OwnerMismatch(trigger, rule_id, rule, without=without)
        case DriftRule():
            return Drift(trigger, rule_id, rule, without=without)
        case _:
            assert_never(rule)
