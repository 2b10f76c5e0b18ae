"""Which number of a rule is its threshold, which others are worth trying, and the rule with one of them.

Decides one setting for each primitive. A scanner's rule, and a match without a score, have none: they fire or they do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from pydantic import ValidationError

from bot.detection.condition import AtLeast
from bot.detection.rule import MatchRule, Rule
from bot.incident.errors import Invalid

SETTINGS = {
    "distinct": "more_than",
    "ratio": "more_than",
    "patterns": "more_than",
    "drift": "more_than",
    "fragments": "at_least",
    "owner_mismatch": "strong_at_least",
}
NEVER_NONE = frozenset({"at_least", "strong_at_least"})
SCORE: Final = "score"
FRACTIONS = (0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0)
STEPS = range(-4, 5)
"""Tenths that a score is tried above and below."""
Number = int | float


class Setting(NamedTuple):
    name: str
    """As it is written in the trigger's rule."""
    value: Number
    """In force."""


def setting(rule: Rule) -> Setting | None:
    """The rule's threshold; None where it has none."""
    if isinstance(rule, MatchRule):
        score = rule.where.get(SCORE)
        return Setting(SCORE, score.at_least) if isinstance(score, AtLeast) else None
    name = SETTINGS.get(rule.primitive)
    return None if name is None else Setting(name, getattr(rule, name))


def grid(rule: Rule) -> list[Number]:
    """Thresholds around the one in force, in order; only those that the rule allows."""
    of = setting(rule)
    if of is None:
        return []
    if of.name == SCORE:
        tried: set[Number] = {round(of.value + step / 10, 3) for step in STEPS if 0 <= of.value + step / 10 <= 1}
    elif isinstance(of.value, float):
        tried = {round(of.value * fraction, 2) for fraction in FRACTIONS}
    else:
        tried = {round(of.value * fraction) for fraction in FRACTIONS} | {of.value - 1, of.value + 1}
    return sorted(value for value in tried | {of.value} if _allowed(rule, value))


def with_threshold(rule: Rule, value: Number) -> Rule:
    """The rule with this threshold for every application, whatever one sets otherwise. Raises Invalid."""
    of = setting(rule)
    if of is None:
        raise Invalid("This trigger has no threshold: it fires on a single find. Leave --threshold out.")
    as_data = rule.model_dump()
    if value < (1 if of.name in NEVER_NONE else 0):
        raise Invalid(f"{of.name} cannot be {value:g}: it would fire on nothing at all.")
    put = _score(rule, value) if of.name == SCORE else {of.name: _typed(of, value)}
    for override in as_data["overrides"].values():
        override.pop(of.name, None)
        (override.get("where") or {}).pop(SCORE, None)
    as_data["overrides"] = {app: _set(override) for app, override in as_data["overrides"].items()}
    try:
        changed = type(rule).model_validate(as_data | put)
    except ValidationError as error:
        why = error.errors(include_url=False)[0]["msg"]
        raise Invalid(f"{of.name} cannot be {value:g}: {why}.") from None
    most = getattr(changed, "at_most", None)
    if most is not None and value > most:
        raise Invalid(f"{of.name} cannot be {value:g}: at_most is {most}.")
    return changed


def rules(rule: Rule, thresholds: Sequence[Number]) -> dict[Number, Rule]:
    """The rule with each of these thresholds, in order. Raises Invalid for one that it does not allow."""
    return {value: with_threshold(rule, value) for value in sorted(set(thresholds))}


def _set(override: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in override.items() if value not in (None, {})}


def _score(rule: Rule, value: Number) -> dict[str, object]:
    where = dict(rule.model_dump()["where"])
    where[SCORE] = {**where[SCORE], "at_least": float(value)}
    return {"where": where}


def _typed(of: Setting, value: Number) -> Number:
    """A count stays a count; `100.5` is left for the rule to refuse."""
    return int(value) if isinstance(of.value, int) and float(value).is_integer() else float(value)


def _allowed(rule: Rule, value: Number) -> bool:
    try:
        with_threshold(rule, value)
    except Invalid:
        return False
    return True
