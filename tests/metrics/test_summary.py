"""Medians and percentiles: as the references compute them, over what is known, in groups that hide nothing."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.incident.deadlines import BusinessCalendar
from bot.incident.metrics import Outcome
from bot.incident.words import DetectionMethod, EvidenceKind, Severity, Status
from bot.metrics.report import Report, responding, summed_up
from bot.metrics.summary import NO_TRIGGER, By, Line, months, percentile
from bot.store import measured
from bot.store.measured import Measurable
from bot.store.months import Figures
from tests.conftest import START
from tests.measurable import row
from tests.opened import playbook

NOW = START + timedelta(days=400)
RESPOND = responding(playbook(), BusinessCalendar())


def summed(
    found: Sequence[Measurable],
    by: By | None = None,
    *,
    told: Mapping[int, datetime] | None = None,
    kept: Mapping[int, Collection[EvidenceKind]] | None = None,
) -> Report:
    figures = Figures(found, told or {}, {number: frozenset(kinds) for number, kinds in (kept or {}).items()})
    since = START - timedelta(days=400)
    return summed_up(figures, playbook(), RESPOND, since=since, until=NOW, by=by, now=NOW)


def line(report: Report, metric: str) -> Line:
    return next(one for one in report.whole.lines if one.metric.id == metric)


def contained(number: int, minutes: float, **more: Any) -> Measurable:
    """Detected with its declaration, contained so many minutes later, ended."""
    declared = more.pop("declared_at", START)
    at = declared + timedelta(minutes=minutes)
    return row(number, declared_at=declared, detected_at=declared, contained_at=at, ended_at=at, **more)


VALUES = st.lists(st.floats(0, 1e8), min_size=2, max_size=60).map(sorted)


@settings(max_examples=100)
@given(VALUES)
def test_percentiles_are_those_of_the_standard_library(values: list[float]) -> None:
    reference = statistics.quantiles(values, n=100, method="inclusive")
    for percent in (50, 90, 95):
        assert percentile(values, percent) == pytest.approx(reference[percent - 1], rel=1e-9, abs=1e-6)
    assert percentile(values, 50) == pytest.approx(statistics.median(values))
    assert values[0] <= percentile(values, 90) <= percentile(values, 95) <= values[-1]


def test_every_percentile_of_one_value_is_that_value() -> None:
    assert {percentile([7.0], percent) for percent in (0, 50, 90, 95, 100)} == {7.0}


def test_no_incident_is_nothing_known_and_no_zero() -> None:
    report = summed([], By.MONTH)
    assert report.groups == () and report.whole.empty
    assert all(one.spread is None and one.known == 0 and not one.outcomes for one in report.whole.lines)


def test_unknown_values_are_left_out_and_counted_with_their_reason() -> None:
    report = summed([contained(1, 10), contained(2, 30), row(3, ended_at=START), contained(4, -5)])
    one = line(report, "time_to_contain")
    assert one.spread is not None and one.spread.values == (600.0, 1800.0) and one.spread.p50 == 1200.0
    assert one.count(Outcome.UNKNOWN) == 2
    assert dict(one.unknown_because) == {
        "when it was detected is not known": 1,
        "out of order: contained before it was detected": 1,
    }
    assert line(report, "time_to_remediate").spread is None
    assert line(report, "time_to_remediate").count(Outcome.UNKNOWN) == 4


def test_an_incident_that_runs_is_counted_as_running_and_in_no_median() -> None:
    running = row(2, severity=Severity.SEV2, detected_at=START)
    report = summed([contained(1, 10), running])
    assert (report.whole.incidents, report.whole.running) == (2, 1)
    one = line(report, "time_to_contain")
    assert one.spread is not None and one.spread.values == (600.0,)
    assert (one.count(Outcome.RUNNING), one.running) == (1, 1)
    late = line(summed([row(2, detected_at=START)]), "time_to_contain")
    assert (late.count(Outcome.MISSED), late.count(Outcome.RUNNING), late.running) == (1, 0, 1), (
        "missed, and still running"
    )


def test_false_positives_and_duplicates_are_counted_and_not_measured() -> None:
    found = [
        contained(1, 10),
        contained(2, 20, status=Status.FALSE_POSITIVE),
        contained(3, 30, status=Status.DUPLICATE),
        contained(4, 40, status=Status.FALSE_POSITIVE),
    ]
    whole = summed(found).whole
    assert (whole.incidents, whole.false_positives, whole.duplicates) == (1, 2, 1)
    assert whole.lines[2].known == 1


def test_a_reopened_incident_is_measured_by_its_first_times() -> None:
    again = contained(1, 10, status=Status.REOPENED)
    report = summed([again, contained(2, 20)])
    spread = line(report, "time_to_contain").spread
    assert spread is not None and spread.values == (600.0, 1200.0)


def test_months_begin_in_utc_wherever_the_reader_is_and_a_month_without_incidents_is_a_gap() -> None:
    last = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
    found = [
        contained(1, 1, declared_at=last),
        contained(2, 1, declared_at=last + timedelta(seconds=1)),
        contained(3, 1, declared_at=datetime.fromisoformat("2026-05-01T01:30:00+02:00")),
    ]
    groups = summed(found, By.MONTH).groups
    assert [(one.label, one.incidents) for one in groups] == [
        ("2026-01", 1), ("2026-02", 1), ("2026-03", 0), ("2026-04", 1),
    ]  # fmt: skip
    assert groups[2].empty and all(one.spread is None for one in groups[2].lines)
    assert months("2025-11", "2026-02") == ["2025-11", "2025-12", "2026-01", "2026-02"]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.none() | st.integers(-5, 500), st.sampled_from(Severity), st.booleans()), max_size=12))
def test_what_is_known_unknown_and_running_is_everything(given: list[tuple[int | None, Severity, bool]]) -> None:
    found = [
        row(
            number,
            severity=severity,
            detected_at=START,
            contained_at=None if minutes is None else START + timedelta(minutes=minutes),
            ended_at=START if ended else None,
        )
        for number, (minutes, severity, ended) in enumerate(given)
    ]
    for one in summed(found, kept={0: (EvidenceKind.LOGS,)}).whole.lines:
        assert one.known + one.unknown + one.running == len(found)
        assert sum(one.outcomes.values()) == len(found)


def test_groups_together_hold_every_incident_once() -> None:
    triggers = itertools.cycle(("b", "a", "b", None))
    found = [
        contained(n, n, severity=Severity(n % 4 + 1), trigger=trigger)
        for n, trigger in zip(range(1, 13), triggers, strict=False)
    ]
    for by in By:
        groups = summed(found, by).groups
        assert sum(one.incidents for one in groups) == 12
    assert [one.label for one in summed(found, By.SEVERITY).groups] == ["SEV-1", "SEV-2", "SEV-3", "SEV-4"]
    assert [one.label for one in summed(found, By.TRIGGER).groups] == ["b", "a", NO_TRIGGER]


def test_the_way_of_detection_and_the_evidence_are_shares() -> None:
    found = [
        contained(n, 10, detection=DetectionMethod.USER_REPORT if n == 4 else DetectionMethod.AUTOMATED)
        for n in range(5)
    ]
    logs, state = EvidenceKind.LOGS, EvidenceKind.MODEL_STATE
    report = summed(found, kept={0: (logs, state, EvidenceKind.OTHER), 1: (state,)})
    method, evidence = line(report, "detection_method"), line(report, "evidence_quality")
    assert dict(method.methods) == {DetectionMethod.AUTOMATED: 4, DetectionMethod.USER_REPORT: 1}
    assert (method.count(Outcome.MET), method.count(Outcome.MISSED), method.known) == (4, 1, 5)
    assert evidence.spread is not None and evidence.spread.values == (0.0, 0.0, 0.0, 0.5, 1.0)
    none = line(summed([contained(1, 1, severity=Severity.SEV4)]), "evidence_quality")
    assert (none.known, none.unknown) == (0, 1), "nothing is wanted, so nothing is complete"


def test_more_incidents_than_one_look_reads_are_said_to_be_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "MOST", 2)
    assert summed([contained(1, 1), contained(2, 1)]).cut
    assert not summed([contained(1, 1)]).cut


def test_the_answer_by_the_next_business_day_follows_the_calendar() -> None:
    friday = datetime(2026, 3, 6, 15, 0, tzinfo=UTC)
    assert RESPOND(Severity.SEV4, friday) == datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
    answered = row(1, severity=Severity.SEV4, declared_at=friday, acknowledged_at=friday + timedelta(days=2))
    assert line(summed([answered]), "time_to_acknowledge").count(Outcome.MET) == 1
