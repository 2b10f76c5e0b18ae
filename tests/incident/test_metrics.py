"""One metric of one incident: what is known, what is not, and against which target."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.incident.metrics import STAMPS, Facts, Measured, Moment, Outcome, counted, facts_of, in_words, measure
from bot.incident.words import DetectionMethod, Severity, Status
from bot.playbook.review import Metric
from tests.measurable import row
from tests.opened import playbook

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
METRICS = playbook().metrics


def at(**span: float) -> datetime:
    return T0 + timedelta(**span)


def of(metric: str, severity: Severity = Severity.SEV1, *, ended: bool = True, **times: datetime | None) -> Measured:
    held: dict[Moment, datetime | None] = {"declared": T0, "detected": T0, **times}  # type: ignore[dict-item]
    facts = Facts(
        severity, DetectionMethod.AUTOMATED, now=at(days=30), ended=ended, times=held, respond_by=at(minutes=15)
    )
    return measure(METRICS[metric], facts)


@pytest.mark.parametrize(
    ("took", "outcome"),
    [
        (timedelta(0), Outcome.MET),
        (timedelta(minutes=239, seconds=59), Outcome.MET),
        (timedelta(hours=4), Outcome.MISSED),
    ],
)
def test_a_target_is_met_below_it_and_missed_at_it(took: timedelta, outcome: Outcome) -> None:
    found = of("time_to_contain", contained=T0 + took)
    assert (found.value, found.outcome, found.target) == (took, outcome, timedelta(hours=4))


def test_a_value_is_shown_where_the_playbook_sets_no_target() -> None:
    found = of("time_to_contain", Severity.SEV3, contained=at(hours=9))
    assert (found.value, found.outcome, found.target) == (timedelta(hours=9), Outcome.NO_TARGET, None)


def test_what_is_not_known_is_unknown_and_never_zero() -> None:
    for found in (of("time_to_detect"), of("time_to_contain"), of("time_to_notify")):
        assert (found.value, found.outcome) == (None, Outcome.UNKNOWN)
    assert of("time_to_detect").why == "when it was started is not known"
    assert of("time_to_contain").why == "it was never recorded as contained"


def test_times_out_of_order_are_unknown_and_never_negative() -> None:
    found = of("time_to_contain", contained=at(minutes=-1))
    assert (found.value, found.outcome) == (None, Outcome.UNKNOWN)
    assert found.why == "out of order: contained before it was detected"


def test_an_incident_that_runs_is_running_and_misses_its_target_once_that_is_over() -> None:
    late = of("time_to_contain", ended=False)
    assert (late.value, late.outcome, late.why) == (None, Outcome.MISSED, "not contained yet, after 30 d")
    assert of("time_to_contain", Severity.SEV2, ended=False).outcome is Outcome.RUNNING, "no target to miss"
    assert of("time_to_contain", ended=False, detected=at(days=30, hours=-1)).outcome is Outcome.RUNNING


def test_one_incident_of_ninety_days_is_ninety_days() -> None:
    found = of("time_to_remediate", remediated=at(days=90))
    assert (found.value, in_words(timedelta(days=90)), found.outcome) == (timedelta(days=90), "90 d", Outcome.MISSED)


def test_the_answer_is_held_against_the_severitys_own_response_time() -> None:
    assert of("time_to_acknowledge", Severity.SEV4, acknowledged=at(minutes=14)).outcome is Outcome.MET
    late = of("time_to_acknowledge", Severity.SEV4, acknowledged=at(minutes=15))
    assert (late.outcome, late.target, late.why) == (Outcome.MISSED, timedelta(minutes=15), "15 min, not under 15 min")


@pytest.mark.parametrize(
    ("wanted", "kept", "ended", "value", "outcome"),
    [
        (0, 0, True, None, Outcome.UNKNOWN),
        (4, 3, True, Fraction(3, 4), Outcome.MISSED),
        (4, 3, False, Fraction(3, 4), Outcome.RUNNING),
        (4, 4, False, Fraction(1), Outcome.MET),
        (4, 5, True, Fraction(1), Outcome.MET),
    ],
)
def test_evidence_is_complete_where_all_that_is_wanted_is_kept(
    wanted: int, kept: int, ended: bool, value: Fraction | None, outcome: Outcome
) -> None:
    facts = Facts(Severity.SEV2, DetectionMethod.AUDIT, now=T0, ended=ended, evidence_wanted=wanted, evidence_kept=kept)
    found = measure(METRICS["evidence_quality"], facts)
    assert (found.value, found.outcome) == (value, outcome)


def test_the_preferred_way_of_detection_meets_the_target() -> None:
    found = of("detection_method")
    assert (found.value, found.outcome) == (DetectionMethod.AUTOMATED, Outcome.MET)
    facts = Facts(Severity.SEV1, DetectionMethod.USER_REPORT, now=T0, ended=True)
    assert measure(METRICS["detection_method"], facts).outcome is Outcome.MISSED


def test_drills_false_positives_and_duplicates_are_not_measured() -> None:
    assert counted(row(1)) and counted(row(1, status=Status.REOPENED))
    assert not counted(row(1, drill=True))
    assert not counted(row(1, status=Status.FALSE_POSITIVE)) and not counted(row(1, status=Status.DUPLICATE))


MOMENTS = st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2026, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001


@settings(max_examples=60)
@given(
    metric=st.sampled_from(list(METRICS.values())),
    times=st.fixed_dictionaries(dict.fromkeys([one for one in STAMPS.values() if one != "declared_at"], MOMENTS)),
    severity=st.sampled_from(Severity),
    notified=MOMENTS,
    ended=st.booleans(),
)
def test_whatever_is_stored_no_value_is_negative_and_every_result_has_a_reason(
    metric: Metric, times: dict[str, datetime | None], severity: Severity, notified: datetime | None, ended: bool
) -> None:
    incident = row(1, severity=severity, declared_at=T0, ended_at=T0 if ended else None, **times)
    found = measure(metric, facts_of(incident, now=at(days=40), notified_at=notified, respond_by=at(minutes=15)))
    assert found.why
    assert found.known == (found.outcome not in {Outcome.UNKNOWN, Outcome.RUNNING} and found.value is not None)
    if isinstance(found.value, timedelta):
        assert found.value >= timedelta(0)
    if found.outcome in {Outcome.UNKNOWN, Outcome.RUNNING}:
        assert found.value is None or metric.kind == "completeness"


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ({"seconds": 0}, "0 s"),
        ({"seconds": 59.9}, "59 s"),
        ({"minutes": 59, "seconds": 59}, "59 min"),
        ({"hours": 4}, "4 h"),
        ({"hours": 47, "minutes": 59}, "47 h 59 min"),
        ({"days": 2, "hours": 4}, "2 d 4 h"),
    ],
)
def test_a_span_is_cut_and_never_rounded_up(span: dict[str, float], words: str) -> None:
    assert in_words(timedelta(**span)) == words
