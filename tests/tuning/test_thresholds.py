"""Every trigger that comes with Firsthour has thresholds worth trying, or none at all; none that its rule would refuse."""

from __future__ import annotations

import pytest

from bot.detection.override import MatchOverride, WindowOverride
from bot.incident.errors import Invalid
from bot.tuning.thresholds import grid, setting, with_threshold
from tests.opened import playbook

TRIGGERS = playbook().triggers


@pytest.mark.parametrize("name", sorted(TRIGGERS))
def test_the_grid_holds_the_threshold_in_force_and_only_what_the_rule_allows(name: str) -> None:
    rule = TRIGGERS[name].rule
    of, tried = setting(rule), grid(rule)
    if of is None:
        assert tried == []
        return
    assert of.value in tried and tried == sorted(set(tried)) and len(tried) > 2
    for value in tried:
        assert setting(with_threshold(rule, value)) == (of.name, value)


def test_both_sides_of_a_boundary_are_in_the_grid() -> None:
    assert {99, 100, 101} <= set(grid(TRIGGERS["bulk_data_extraction"].rule))


def test_nothing_but_the_threshold_changes() -> None:
    rule = TRIGGERS["jailbreak_success"].rule
    assert with_threshold(with_threshold(rule, 0.9), setting(rule).value) == rule  # type: ignore[union-attr]


def test_a_threshold_of_an_application_gives_way_and_its_other_settings_stay() -> None:
    override = WindowOverride(more_than=500, window_minutes=30)
    rule = TRIGGERS["bulk_data_extraction"].rule.model_copy(update={"overrides": {"batch": override}})
    for_batch = with_threshold(rule, 20).for_app("batch")
    assert (for_batch.more_than, for_batch.window_minutes) == (20, 30)  # type: ignore[union-attr]
    score = MatchOverride.model_validate({"where": {"score": {"at_least": 0.9}}})
    rule = TRIGGERS["jailbreak_success"].rule.model_copy(update={"overrides": {"chat": score}})
    assert setting(with_threshold(rule, 0.2).for_app("chat")) == ("score", 0.2)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("credential_leakage_confirmed", 1, "has no threshold"),
        ("bulk_data_extraction", 10.5, "more_than cannot be 10.5"),
        ("bulk_data_extraction", -1, "more_than cannot be -1"),
        ("partial_prompt_extraction", 4, "at_most is 3"),
        ("cross_user_data_leakage", 0, "would fire on nothing"),
    ],
)
def test_a_threshold_that_cannot_be_is_refused_in_words(name: str, value: float, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        with_threshold(TRIGGERS[name].rule, value)
