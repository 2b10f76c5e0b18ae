"""The evaluator of examples: each primitive's thresholds, at and beside the boundary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.playbook import load
from bot.playbook.examples import fires
from bot.playbook.rule import PatternsRule

RULES = {name: trigger.rule for name, trigger in load().triggers.items()}


@given(results=st.integers(0, 300), minutes=st.integers(0, 180))
def test_bulk_extraction_fires_above_100_within_the_hour(results: int, minutes: int) -> None:
    facts = {"distinct_results": results, "window_minutes": minutes}
    assert fires(RULES["bulk_data_extraction"], facts) is (results > 100 and minutes <= 60)


@given(blocks=st.integers(0, 400), bypasses=st.integers(0, 100), minutes=st.integers(0, 60))
def test_a_campaign_fires_above_50_blocks_and_a_tenth_of_bypasses(blocks: int, bypasses: int, minutes: int) -> None:
    facts = {"blocks": blocks, "bypasses": bypasses, "window_minutes": minutes}
    expected = blocks > 50 and minutes <= 30 and 10 * bypasses > blocks + bypasses
    assert fires(RULES["sustained_injection_campaign"], facts) is expected


@given(fragments=st.integers(0, 20), canary=st.booleans(), delivered=st.sampled_from([True, False, None]))
def test_exposure_and_partial_extraction_share_the_fragments_without_gap_or_overlap(
    fragments: int, canary: bool, delivered: bool | None
) -> None:
    facts = {"distinct_fragments": fragments, "canary": canary, "delivered": delivered}
    exposure = fires(RULES["system_prompt_exposure"], facts)
    partial = fires(RULES["partial_prompt_extraction"], facts)
    assert not (exposure and partial)
    assert (exposure or partial) is (delivered is True and (fragments >= 1 or canary))
    assert exposure is (delivered is True and (canary or fragments > 3))


@given(patterns=st.integers(0, 10), signals=st.integers(1, 4), needed=st.integers(1, 4))
def test_too_few_signals_keep_a_rule_quiet(patterns: int, signals: int, needed: int) -> None:
    rule = RULES["anomalous_probing"]
    assert isinstance(rule, PatternsRule)
    stricter = rule.model_copy(update={"require_signals": needed})
    facts = {"distinct_patterns": patterns, "window_minutes": 60, "signals": signals}
    assert fires(stricter, facts) is (patterns > 3 and signals >= needed)


@pytest.mark.parametrize("name", RULES)
def test_every_exclusion_keeps_its_rule_quiet(name: str) -> None:
    trigger = load().triggers[name]
    for exclusion in trigger.rule.exclusions:
        for example in trigger.examples.fires:
            assert not fires(trigger.rule, {**example.facts, "excluded": exclusion})


def test_a_match_compares_kind_and_value() -> None:
    rule = RULES["unauthorized_tool_execution"]
    assert fires(rule, {"completed": True, "side_effect": True, "authorized": False})
    assert not fires(rule, {"completed": 1, "side_effect": True, "authorized": False})
    assert not fires(rule, {"completed": True, "side_effect": True, "authorized": 0})
    assert not fires(rule, {"completed": True, "side_effect": True, "authorized": None})


def test_a_classifier_that_gives_no_score_is_believed_and_a_low_score_is_not() -> None:
    rule = RULES["jailbreak_success"]
    base = {"stage": "output", "flagged": True, "delivered": True}
    assert fires(rule, {**base, "score": None})
    assert fires(rule, {**base, "score": 0.5})
    assert not fires(rule, {**base, "score": 0.49})
    assert not fires(rule, {**base, "score": True})
    assert not fires(rule, {**base, "score": "high"})


def test_facts_that_a_rule_cannot_weigh_are_refused() -> None:
    with pytest.raises(ValidationError):
        fires(RULES["bulk_data_extraction"], {"distinct_results": 101})
    with pytest.raises(ValidationError):
        fires(RULES["credential_leakage_confirmed"], {"secret": "password", "delivered": True})
    with pytest.raises(ValueError, match="missing: score"):
        fires(RULES["jailbreak_success"], {"stage": "output", "flagged": True, "delivered": True})
    with pytest.raises(ValueError, match="not among the rule's exclusions"):
        fires(RULES["anomalous_probing"], {"distinct_patterns": 4, "window_minutes": 1, "excluded": "holiday"})
