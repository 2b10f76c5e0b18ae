"""Detection rules as declared in a trigger: seven primitives, each with only the settings it needs.

Decides which settings a rule has and their bounds. Leaves to `examples` whether a summary of facts fires, and to the
detection room how events are windowed into such facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from bot.playbook.model import Count, Id, Minutes, Model

KeyKind = Literal["user", "session", "api_key", "ip"]
Ratio = Annotated[float, Field(ge=0, le=1)]


class AtLeast(Model):
    """A number that is not lower."""

    at_least: float
    or_unknown: bool = False
    """Holds where nothing gave a number at all; otherwise an unknown never holds."""


Condition = bool | str | AtLeast


class RuleBase(Model):
    key: tuple[KeyKind, ...] = Field(min_length=1)
    """What findings are grouped by: the first of these that the event carries."""
    events: tuple[Id, ...] = Field(min_length=1)
    """Kinds of native events read (reference: domain.md §2.1)."""
    exclusions: tuple[Id, ...] = ()
    """Named reasons why something that matches is not counted."""
    cool_down_minutes: Minutes = 60
    """Further hits in this time attach to the incident that is open."""
    require_signals: Count = Field(default=1, ge=1)
    """Independent signals needed before it fires; raise it where one signal alone is noise."""
    shadow: bool = False
    """Count and report, open nothing: for tuning against production."""


class MatchRule(RuleBase):
    """One event of which every condition holds."""

    primitive: Literal["match"]
    where: Mapping[str, Condition] = Field(min_length=1)


class DistinctRule(RuleBase):
    """More than `more_than` different values of `distinct_by` among successes within the window."""

    primitive: Literal["distinct"]
    distinct_by: Id
    more_than: Count
    window_minutes: Minutes = Field(ge=1)


class RatioRule(RuleBase):
    """More than `more_than` blocks within the window, and bypasses ÷ (blocks + bypasses) above the ratio."""

    primitive: Literal["ratio"]
    more_than: Count
    bypass_ratio_more_than: Ratio
    window_minutes: Minutes = Field(ge=1)


class FragmentsRule(RuleBase):
    """Different fragments of the system prompt in one session's delivered answers, or a canary where `canary` is true."""

    primitive: Literal["fragments"]
    at_least: Count = Field(ge=1)
    at_most: Count | None = None
    canary: bool = False


class PatternsRule(RuleBase):
    """More than `more_than` different kinds of probing within the window."""

    primitive: Literal["patterns"]
    patterns: tuple[Id, ...] = Field(min_length=1)
    more_than: Count
    window_minutes: Minutes = Field(ge=1)


SecretKind = Literal["canary", "validated_pattern", "generic_pattern", "placeholder"]


class ScannerRule(RuleBase):
    """A secret of one of these kinds in an answer that was delivered."""

    primitive: Literal["scanner"]
    secrets: tuple[SecretKind, ...] = Field(min_length=1)


class OwnerMismatchRule(RuleBase):
    """Identifiers of somebody else in a delivered answer: so many strong ones, or so many weak ones together."""

    primitive: Literal["owner_mismatch"]
    strong_at_least: Count = Field(ge=1)
    weak_at_least: Count = Field(ge=1)


Rule = Annotated[
    MatchRule | DistinctRule | RatioRule | FragmentsRule | PatternsRule | ScannerRule | OwnerMismatchRule,
    Field(discriminator="primitive"),
]
