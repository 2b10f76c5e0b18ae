"""Do a trigger's examples tell the truth? A small pure evaluator of facts against a rule's thresholds.

Decides, for a compact summary of one window, whether the rule fires. It is the meaning of the thresholds in one page;
the detection room must agree with it on every example. Leaves windowing, scanning and counting to that room.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from pydantic import Field

from bot.playbook.model import Count, Model
from bot.playbook.rule import (
    AtLeast,
    DistinctRule,
    FragmentsRule,
    MatchRule,
    OwnerMismatchRule,
    PatternsRule,
    RatioRule,
    Rule,
    ScannerRule,
    SecretKind,
)
from bot.playbook.trigger import Fact


class Facts(Model):
    """What every summary may say."""

    excluded: str | None = None
    """The named exclusion that covers it."""
    signals: Count | None = None
    """Independent signals seen; left out, as many as the rule asks for."""


class DistinctFacts(Facts):
    distinct_results: Count
    window_minutes: float = Field(ge=0)
    successful: bool = True


class RatioFacts(Facts):
    blocks: Count
    bypasses: Count | None
    """None where no detector can tell: an unknown rate is not zero, and does not fire either."""
    window_minutes: float = Field(ge=0)


class FragmentsFacts(Facts):
    distinct_fragments: Count
    canary: bool = False
    delivered: bool | None = True
    same_session: bool = True


class PatternsFacts(Facts):
    distinct_patterns: Count
    window_minutes: float = Field(ge=0)


class ScannerFacts(Facts):
    secret: SecretKind
    delivered: bool | None


class OwnerMismatchFacts(Facts):
    strong: Count = 0
    weak: Count = 0
    delivered: bool | None


def fires(rule: Rule, facts: Mapping[str, Fact]) -> bool:
    """True where `facts` open an incident. Raises pydantic's ValidationError or ValueError on facts this rule cannot weigh."""
    common = Facts.model_validate({name: facts[name] for name in Facts.model_fields if name in facts})
    own = {name: value for name, value in facts.items() if name not in Facts.model_fields}
    if common.excluded is not None and common.excluded not in rule.exclusions:
        raise ValueError(f"“{common.excluded}” is not among the rule's exclusions")
    enough = common.signals is None or common.signals >= rule.require_signals
    return _crosses(rule, own) and common.excluded is None and enough


def _crosses(rule: Rule, facts: Mapping[str, Fact]) -> bool:
    match rule:
        case MatchRule():
            return _match(rule, facts)
        case DistinctRule():
            return _distinct(rule, DistinctFacts.model_validate(facts))
        case RatioRule():
            return _ratio(rule, RatioFacts.model_validate(facts))
        case FragmentsRule():
            return _fragments(rule, FragmentsFacts.model_validate(facts))
        case PatternsRule():
            probing = PatternsFacts.model_validate(facts)
            return probing.distinct_patterns > rule.more_than and probing.window_minutes <= rule.window_minutes
        case ScannerRule():
            secret = ScannerFacts.model_validate(facts)
            return secret.delivered is True and secret.secret in rule.secrets
        case OwnerMismatchRule():
            foreign = OwnerMismatchFacts.model_validate(facts)
            many = foreign.strong >= rule.strong_at_least or foreign.weak >= rule.weak_at_least
            return foreign.delivered is True and many
        case _:
            assert_never(rule)


def _match(rule: MatchRule, facts: Mapping[str, Fact]) -> bool:
    unknown = set(facts) - set(rule.where)
    missing = set(rule.where) - set(facts)
    if unknown or missing:
        wrong = f"unknown: {', '.join(sorted(unknown))}" if unknown else f"missing: {', '.join(sorted(missing))}"
        raise ValueError(f"a match needs exactly the facts of its `where` ({wrong})")
    return all(_holds(condition, facts[name]) for name, condition in rule.where.items())


def _holds(condition: bool | str | AtLeast, fact: Fact) -> bool:
    if isinstance(condition, AtLeast):
        if fact is None:
            return condition.or_unknown
        return isinstance(fact, int | float) and not isinstance(fact, bool) and fact >= condition.at_least
    return type(fact) is type(condition) and fact == condition


def _distinct(rule: DistinctRule, facts: DistinctFacts) -> bool:
    many = facts.distinct_results > rule.more_than
    return many and facts.successful and facts.window_minutes <= rule.window_minutes


def _ratio(rule: RatioRule, facts: RatioFacts) -> bool:
    if facts.bypasses is None or facts.window_minutes > rule.window_minutes or facts.blocks <= rule.more_than:
        return False
    return facts.bypasses / (facts.blocks + facts.bypasses) > rule.bypass_ratio_more_than


def _fragments(rule: FragmentsRule, facts: FragmentsFacts) -> bool:
    if facts.delivered is not True:
        return False
    if facts.canary:
        return rule.canary
    inside = rule.at_least <= facts.distinct_fragments and (
        rule.at_most is None or facts.distinct_fragments <= rule.at_most
    )
    return inside and facts.same_session
