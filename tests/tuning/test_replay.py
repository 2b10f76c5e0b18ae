"""Would-fire counts are those of the real engine: exact at the boundary, one for each cool-down, and never invented."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.detection.engine import Engine
from bot.detection.event import Outcome, Verdict
from bot.detection.rule import DistinctRule, TriggerRule
from bot.tuning.replay import Replayed, Subject, replay
from bot.tuning.thresholds import rules
from tests.detection.reference import START, block
from tests.opened import playbook
from tests.tuning.logged import queries, query

BEGIN = 1_772_442_000.0
HOUR = 3600.0
RULE = DistinctRule.model_validate(
    {
        "primitive": "distinct", "key": ["user"], "events": ["data_query"], "distinct_by": "result_sha256",
        "more_than": 100, "window_minutes": 60, "cool_down_minutes": 60,
    }
)  # fmt: skip


def replayed(*parts: object, thresholds: tuple[int, ...] = (99, 100, 101), **more: object) -> Replayed:
    log = sorted((seen for part in parts for seen in part), key=lambda seen: seen.arrived)  # type: ignore[attr-defined]
    span = {"since": BEGIN, "until": BEGIN + 24 * HOUR}
    return replay(lambda: log, RULE, rules(RULE, thresholds), **(span | more))  # type: ignore[arg-type]


def counts(found: Replayed) -> dict[float, int]:
    return {value: fired.incidents for value, fired in found.trials.items()}


def test_it_is_exact_at_the_boundary() -> None:
    assert counts(replayed(queries("mallory", BEGIN, 101))) == {99: 1, 100: 1, 101: 0}
    assert counts(replayed(queries("mallory", BEGIN, 100))) == {99: 1, 100: 0, 101: 0}


def test_one_cool_down_is_one_incident_however_much_more_there_is() -> None:
    found = replayed(queries("mallory", BEGIN, 3000), queries("mallory", BEGIN + 5 * HOUR, 150))
    assert counts(found)[100] == 2
    assert found.trials[100].findings > 2


def test_subjects_are_counted_by_id_and_application() -> None:
    found = replayed(
        queries("mallory", BEGIN, 150),
        queries("mallory", BEGIN + 5 * HOUR, 150),
        queries("mallory", BEGIN, 150, app="shop"),
        queries("trudy", BEGIN, 101),
    )
    assert found.trials[100].subjects == {
        Subject("user", "mallory", "chat"): 2,
        Subject("user", "mallory", "shop"): 1,
        Subject("user", "trudy", "chat"): 1,
    }
    assert found.trials[101].incidents == 3


def test_only_the_application_that_was_asked_about_is_counted_but_coverage_is_of_all() -> None:
    found = replayed(queries("mallory", BEGIN, 150), queries("eve", BEGIN, 150, app="shop"), app="shop")
    assert [subject.id for subject in found.trials[100].subjects] == ["eve"]
    assert found.coverage.events == 300


def test_what_came_before_counts_for_the_window_and_is_not_reported_itself() -> None:
    half = replayed(queries("mallory", BEGIN - 60, 120))
    assert counts(half)[100] == 1
    assert half.coverage.events == 60
    before = replayed(queries("mallory", BEGIN - 600, 120))
    assert counts(before)[100] == 0


def test_what_fires_another_trigger_is_not_counted_for_the_one_that_was_asked_about() -> None:
    rule = playbook().triggers["sustained_injection_campaign"].rule
    verdicts = (Verdict("shadow", Outcome.FLAG), Verdict("filter", Outcome.BLOCK))
    log = [block(n, n, verdicts=verdicts) for n in range(60)]
    log = [msgspec.structs.replace(one, arrived=one.event.at) for one in log]
    told = Engine([TriggerRule("alone", rule)], most_keys=10).take(log)
    found = replay(lambda: log, rule, rules(rule, [50]), since=START, until=START + HOUR)
    assert [one.trigger for one in told] == ["anomalous_probing"] and found.trials[50].findings == 0


def test_a_gap_in_the_log_is_told() -> None:
    found = replayed(queries("mallory", BEGIN, 10), queries("mallory", BEGIN + 5 * HOUR, 10))
    assert found.coverage.gaps == 5 * HOUR - 9
    assert replayed(queries("mallory", BEGIN, 10)).coverage.gaps == 0


def test_too_many_keys_are_bounded_and_told() -> None:
    found = replayed(*(queries(f"user-{n}", BEGIN + n, 1) for n in range(500)), most_keys=50)
    assert found.evictions > 0


def test_progress_is_told_as_time_goes_on() -> None:
    told: list[float] = []
    replayed(queries("mallory", BEGIN, 2500), until=BEGIN + 2500, progress=told.append)
    assert told == sorted(told) and len(told) == 6 and told[-1] <= 1


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 60), st.integers(0, 8000)), max_size=80))
def test_it_says_what_an_engine_with_each_threshold_alone_would_say(some: list[tuple[str, int, int]]) -> None:
    log = [query(f"user-{who}", BEGIN + at, f"{value}") for who, value, at in sorted(some, key=lambda one: one[2])]
    few = RULE.model_copy(update={"more_than": 3})
    tried = rules(few, [0, 1, 3, 6])
    found = replay(lambda: log, few, tried, since=BEGIN, until=BEGIN + 9000)
    for value, rule in tried.items():
        alone = Engine([TriggerRule("alone", rule)], most_keys=1000).take(log)
        assert found.trials[value].incidents == sum(finding.first for finding in alone)
        assert found.trials[value].findings == len(alone)
    assert found.in_force == found.trials[3]
