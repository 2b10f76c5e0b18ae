"""Detection rules as declared in a trigger: eight primitives, each with only the settings it needs, and what each means.

Decides which settings a rule has, their bounds, and what an application may set otherwise. Leaves how events are counted to
the engine, how texts become marks to the scanner, and titles, severities and examples to the playbook.

What is not known (`None`) never holds as true or as false: an unknown delivery confirms nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, StrictStr, model_validator

from bot.detection.condition import OwnPattern, Where
from bot.detection.event import MarkKind
from bot.detection.override import (
    App,
    DriftOverride,
    FragmentsOverride,
    MatchOverride,
    Override,
    OwnerMismatchOverride,
    Ratio,
    RatioOverride,
    WindowOverride,
)
from bot.detection.rule_base import KeyKind as KeyKind
from bot.detection.rule_base import RuleBase as RuleBase
from bot.detection.strict import Count, Id, SomeCount, SomeMinutes


class MatchRule(RuleBase):
    """One event of which every condition of `where` holds, or every one of an entry of `or_where`.

    The same call (`tool.call_id`, otherwise `call_id`) is one hit, however often it is told. What several events say of one
    tool call is known together.
    """

    primitive: Literal["match"]
    where: Where
    or_where: tuple[Where, ...] = ()
    allowed_categories: tuple[StrictStr, ...] = ()
    """A verdict all of whose categories are here is not counted."""
    overrides: Mapping[App, MatchOverride] = {}


class DistinctRule(RuleBase):
    """More than `more_than` different values of `distinct_by` among successes within the window.

    A success has `data.ok` true; a tool's result also counts where the tool completed and `data.ok` was left out.
    """

    primitive: Literal["distinct"]
    distinct_by: Literal[
        "result_sha256", "query_sha256", "args_sha256", "call_id", "session_id", "user_id", "endpoint", "tool"
    ]
    more_than: Count
    window_minutes: SomeMinutes
    overrides: Mapping[App, WindowOverride] = {}


class RatioRule(RuleBase):
    """More than `more_than` blocks within the window, and bypasses ÷ (blocks + bypasses) above the ratio.

    A block is a call (by `call_id`, otherwise the event) with a verdict `block`; several guardrails on one call are one. A
    bypass is a call with a verdict `flag`, delivered, not refused, not blocked. Masks, errors and our own gate's verdicts are
    neither. A rate is known once something was flagged within the window of which it is known whether it got through; until
    then it is unknown, not zero, because nothing shows that a detector looks at what gets through (domain.md §4.3, 4).
    """

    primitive: Literal["ratio"]
    more_than: Count
    bypass_ratio_more_than: Ratio
    window_minutes: SomeMinutes
    subjects_at_least: SomeCount = 1
    """So many different users have to take part: for `fleet`."""
    fires_on_unknown_bypass: bool = False
    """Fires also where there are enough blocks and the rate is unknown."""
    up_to_ratio: Id | None = None
    """The trigger that fires instead where there are enough blocks and the rate is known and not above the ratio: what is held
    back is an attack all the same (domain.md §4.2). One state serves both."""
    own_guardrails: tuple[StrictStr, ...] = ("firsthour",)
    """A guardrail whose name begins so, in capitals or not, is our own gate: what containment blocks is no attack more."""
    allowed_categories: tuple[StrictStr, ...] = ()
    """A block all of whose categories are here is not counted."""
    overrides: Mapping[App, RatioOverride] = {}


class FragmentsRule(RuleBase):
    """Different fragments of the system prompt in one key's delivered answers, or a canary where `canary` is true.

    A canary here is one of kind `system_prompt`, or of no kind.
    """

    primitive: Literal["fragments"]
    at_least: SomeCount
    at_most: Count | None = None
    canary: bool = False
    coverage_at_least: Ratio | None = None
    """One answer that holds at least this part of the whole prompt also fires."""
    overrides: Mapping[App, FragmentsOverride] = {}


class PatternsRule(RuleBase):
    """More than `more_than` different kinds of probing within the window, each a scanner's mark or a source's signal."""

    primitive: Literal["patterns"]
    patterns: tuple[Id, ...] = Field(min_length=1)
    own: tuple[OwnPattern, ...] = ()
    """Kinds of probing of the user's own, counted beside `patterns`."""
    more_than: Count
    window_minutes: SomeMinutes
    overrides: Mapping[App, WindowOverride] = {}


SecretKind = Literal["canary", "validated_pattern", "generic_pattern", "placeholder"]
CanaryKind = Literal["credential", "system_prompt", "document", "tool"]


class ScannerRule(RuleBase):
    """A secret of one of these kinds in an answer that was delivered."""

    primitive: Literal["scanner"]
    secrets: tuple[SecretKind, ...] = ()
    """Fire where the answer was delivered."""
    secrets_if_delivery_unknown: tuple[SecretKind, ...] = ()
    """Fire where nobody knows whether the answer was delivered."""
    second_signal_for: tuple[SecretKind, ...] = ()
    """Of both lists, those that fire only together with one more signal: alone they are noise."""
    canaries: tuple[CanaryKind, ...] = ("credential",)
    """Kinds of canary that count; one of no kind counts everywhere."""
    own: tuple[OwnPattern, ...] = ()
    """Secrets of the user's own make; each counts as a `validated_pattern` of this rule alone."""
    overrides: Mapping[App, Override] = {}

    @model_validator(mode="after")
    def _looks_for_something(self) -> Self:
        if not self.secrets and not self.secrets_if_delivery_unknown and not self.own:
            raise ValueError("name at least one of `secrets`, `secrets_if_delivery_unknown` or `own`")
        return self


class OwnerMismatchRule(RuleBase):
    """Identifiers of somebody else in one delivered answer: so many strong ones, or so many weak ones of the same person."""

    primitive: Literal["owner_mismatch"]
    strong_at_least: SomeCount
    weak_at_least: SomeCount
    overrides: Mapping[App, OwnerMismatchOverride] = {}


class DriftRule(RuleBase):
    """An application's refusals, blocks, tokens, latency or calls left what is normal at that hour (`drift`, `baseline`)."""

    primitive: Literal["drift"]
    key: tuple[KeyKind, ...] = Field(default=(), max_length=0)
    """None: what is counted by is the application."""
    measures: tuple[Literal["refusals", "blocks", "tokens", "latency", "calls"], ...] = Field(
        default=("refusals", "blocks", "tokens", "latency", "calls"), min_length=1
    )
    more_than: float = Field(default=12.0, gt=0, le=1000)
    """Standard deviations away from normal, summed up over ten-minute values, each less one for nothing."""
    own_guardrails: tuple[StrictStr, ...] = ("firsthour",)
    """As in a ratio rule."""
    require_signals: SomeCount = Field(default=1, le=1)
    """An application's values have no signals beside them."""
    overrides: Mapping[App, DriftOverride] = {}


Rule = Annotated[
    MatchRule | DistinctRule | RatioRule | FragmentsRule | PatternsRule | ScannerRule | OwnerMismatchRule | DriftRule,
    Field(discriminator="primitive"),
]


class TriggerRule(NamedTuple):
    """What the engine is given of a trigger."""

    trigger: str
    rule: Rule


class Own(NamedTuple):
    """What the scanner is given of the rules: a pattern of the user's, and which kind of mark its finds are."""

    kind: MarkKind
    name: str
    pattern: str


def counts_any_input(rules: Iterable[TriggerRule]) -> bool:
    """Whether a rule counts inputs by their fingerprint that no guardrail blocked or flagged. Otherwise theirs need not be made,
    which takes as long as half of all that is searched."""
    return any("fleet" in rule.key and not (isinstance(rule, RatioRule) and _blocks_only(rule)) for _, rule in rules)


def _blocks_only(rule: RatioRule) -> bool:
    wanted = (rule.require_signals, *(one.require_signals for one in rule.overrides.values()))
    return all(signals in (None, 1) for signals in wanted)


def own_patterns(rules: Iterable[TriggerRule]) -> tuple[Own, ...]:
    """All patterns of the user's own in these rules, each once."""
    found: dict[Own, None] = {}
    for _, rule in rules:
        if isinstance(rule, PatternsRule | ScannerRule):
            kind = MarkKind.PROBE if isinstance(rule, PatternsRule) else MarkKind.SECRET
            found |= {Own(kind, own.id, own.pattern): None for own in rule.own}
    return tuple(found)
