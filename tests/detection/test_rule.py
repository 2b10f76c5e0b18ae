"""What an application may set otherwise, and what the scanner is given of the rules."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from bot.detection.condition import AtLeast
from bot.detection.event import MarkKind
from bot.detection.rule import MatchRule, Rule, TriggerRule, counts_any_input, own_patterns

RULE: TypeAdapter[Rule] = TypeAdapter(Rule)
COMMON = {"key": ["user"], "events": ["data_query"]}


def test_an_application_sets_its_own_threshold_and_nothing_else_changes() -> None:
    rule = RULE.validate_python(
        {**COMMON, "primitive": "distinct", "distinct_by": "result_sha256", "more_than": 100, "window_minutes": 60,
         "overrides": {"search": {"more_than": 500}, "sandbox": {"shadow": True}}}
    )  # fmt: skip
    search, sandbox = rule.for_app("search"), rule.for_app("sandbox")
    assert search.model_dump() == {**rule.model_dump(), "more_than": 500}
    assert sandbox.model_dump() == {**rule.model_dump(), "shadow": True}
    assert rule.for_app("bank") is rule and rule.for_app(None) is rule


def test_an_application_exchanges_single_conditions_of_a_match() -> None:
    rule = RULE.validate_python(
        {**COMMON, "primitive": "match", "where": {"delivered": True, "score": {"at_least": 0.5}},
         "overrides": {"games": {"where": {"score": {"at_least": 0.9}}}}}
    )  # fmt: skip
    games = rule.for_app("games")
    assert isinstance(games, MatchRule)
    assert games.where == {"delivered": True, "score": AtLeast(at_least=0.9)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("model", value) for value in (1, 0.5, ["a"], {"pattern": ""}, {"one_of": []}, {"at_most": 3})),
        ("delivered", "yes"),
        ("authorized", {"one_of": ["no"]}),
        ("score", 0.5),
        ("score", "high"),
        ("stage", "ouput"),
        ("outcome", {"one_of": ["block", "stop"]}),
        ("model", True),
    ],
)
def test_a_condition_that_could_never_hold_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        RULE.validate_python({**COMMON, "primitive": "match", "where": {name: value}})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("delivered", False),
        ("delivered", None),
        ("score", {"at_least": 0.5, "or_unknown": True}),
        ("score", None),
        ("outcome", {"one_of": ["block", "flag"]}),
        ("model", {"pattern": "gpt-[0-9]"}),
        ("signal", "vpn"),
    ],
)
def test_every_form_of_a_condition_is_read(name: str, value: object) -> None:
    RULE.validate_python({**COMMON, "primitive": "match", "where": {name: value}})


def test_the_scanner_is_given_each_pattern_of_the_users_once() -> None:
    own = [{"id": "badge", "pattern": "B-[0-9]{6}"}]
    scanner = RULE.validate_python({**COMMON, "primitive": "scanner", "own": own})
    probing = {**COMMON, "primitive": "patterns", "patterns": ["encoding"], "more_than": 1, "window_minutes": 60}
    patterns = RULE.validate_python({**probing, "own": [{"id": "tickets", "pattern": "T-[0-9]+"}]})
    rules = [TriggerRule("a", scanner), TriggerRule("b", patterns), TriggerRule("c", scanner)]
    assert own_patterns(rules) == (
        (MarkKind.SECRET, "badge", "B-[0-9]{6}"),
        (MarkKind.PROBE, "tickets", "T-[0-9]+"),
    )


@pytest.mark.parametrize(
    ("given", "any_input"),
    [
        ({"primitive": "ratio", "bypass_ratio_more_than": 0.1}, False),
        ({"primitive": "ratio", "bypass_ratio_more_than": 0.1, "require_signals": 2}, True),
        ({"primitive": "ratio", "bypass_ratio_more_than": 0.1, "overrides": {"shop": {"require_signals": 2}}}, True),
        ({"primitive": "ratio", "bypass_ratio_more_than": 0.1, "key": ["user"], "require_signals": 2}, False),
        ({"primitive": "patterns", "patterns": ["encoding"]}, True),
    ],
)
def test_a_fleet_is_counted_by_blocks_alone_or_by_any_input(given: dict[str, object], any_input: bool) -> None:
    rule = RULE.validate_python({**COMMON, "key": ["fleet"], "more_than": 1, "window_minutes": 60, **given})
    assert counts_any_input([TriggerRule("a", rule)]) is any_input


def test_a_scanner_rule_that_looks_for_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="name at least one"):
        RULE.validate_python({**COMMON, "primitive": "scanner"})
