"""Conditions of a rule on one value of an event, and patterns of the user's own.

Decides the forms a condition may have and which values there are. Leaves reading the values from events to the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Discriminator, Field, StrictBool, StrictStr, StringConstraints, Tag

from bot.detection.event import Outcome, Stage
from bot.detection.strict import Id, Model

Regex = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class AtLeast(Model):
    """A number that is not lower."""

    at_least: float
    or_unknown: bool = False
    """Holds where nothing gave a number at all; otherwise an unknown never holds."""


class OneOf(Model):
    one_of: tuple[StrictStr, ...] = Field(min_length=1)


class Pattern(Model):
    """A regular expression found somewhere in the value."""

    pattern: Regex


def _form(value: object) -> str:
    if isinstance(value, AtLeast | OneOf | Pattern):
        return next(iter(type(value).model_fields))
    if isinstance(value, Mapping):
        return next((name for name in ("one_of", "pattern") if name in value), "at_least")
    return "word"


Condition = Annotated[
    Annotated[StrictBool | StrictStr | None, Tag("word")]
    | Annotated[AtLeast, Tag("at_least")]
    | Annotated[OneOf, Tag("one_of")]
    | Annotated[Pattern, Tag("pattern")],
    Discriminator(_form),
]
"""The value itself, null for “nothing said so”, or one of the three forms above."""
Matchable = Literal[
    # of the event
    "stage", "delivered", "refused", "endpoint", "environment", "tenant", "model", "model_version", "tokens", "latency_ms",
    # of one verdict, all of these of the same one; `flagged`: it was `flag` or `block`
    "flagged", "outcome", "guardrail", "category", "score", "rule_id",
    # of the tool; `tool` is its name
    "tool", "authorized", "completed", "side_effect",
    # of the data
    "ok", "rows", "classification",
    # the name of one signal
    "signal",
]  # fmt: skip
YES_NO: Final = frozenset({"delivered", "refused", "flagged", "authorized", "completed", "side_effect", "ok"})
NUMBERS: Final = frozenset({"tokens", "latency_ms", "score", "rows"})
WORDS: Final = {"stage": frozenset(map(str, Stage)), "outcome": frozenset(map(str, Outcome))}


def _can_hold(where: Mapping[Matchable, Condition]) -> Mapping[Matchable, Condition]:
    """`delivered: yes` is a text in YAML as it is read here: it would never hold, and nobody would notice."""
    for name, condition in where.items():
        if condition is None:
            continue
        if name in YES_NO and not isinstance(condition, bool):
            raise ValueError(f"`{name}` is true, false, or null for “nothing said so”")
        if name in NUMBERS and not isinstance(condition, AtLeast):
            raise ValueError(f"`{name}` is a number: write `{{at_least: 0.5}}`")
        if name not in YES_NO | NUMBERS and isinstance(condition, bool | AtLeast):
            raise ValueError(f"`{name}` is a word, `{{one_of: […]}}` or `{{pattern: …}}`")
        words = WORDS.get(name)
        said = condition.one_of if isinstance(condition, OneOf) else [condition] if isinstance(condition, str) else []
        if words and not words.issuperset(said):
            raise ValueError(f"`{name}` is one of {', '.join(sorted(words))}")
    return where


Where = Annotated[Mapping[Matchable, Condition], Field(min_length=1), AfterValidator(_can_hold)]


class OwnPattern(Model):
    """A regular expression of the user's, run over texts by the scanner; what it finds is a mark of this name."""

    id: Id
    pattern: Regex
