"""From single values to medians, percentiles and counts, by severity, trigger or month. Pure.

Decides what is in a group and what a percentile is. Unknown values are excluded and counted, never guessed; an incident that
runs is counted as running; false positives and duplicates are counted beside, not measured.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from bot.incident.metrics import Measured, Outcome
from bot.incident.words import DetectionMethod, Severity, Status
from bot.playbook.review import Metric

NO_TRIGGER = "no trigger"
"""Stands for incidents that a person declared without naming one."""


class By(StrEnum):
    SEVERITY = "severity"
    TRIGGER = "trigger"
    MONTH = "month"


@dataclass(frozen=True)
class Case:
    """One incident with its metrics; without any where it is not measured (false positive, duplicate)."""

    number: int
    severity: Severity
    status: Status
    trigger: str | None
    declared_at: datetime
    running: bool
    measured: tuple[Measured, ...] = ()

    @property
    def month(self) -> str:
        """`2026-03`, in UTC: the same for every reader."""
        return f"{self.declared_at.astimezone(UTC):%Y-%m}"

    def label(self, by: By) -> str:
        match by:
            case By.SEVERITY:
                return self.severity.label
            case By.TRIGGER:
                return self.trigger or NO_TRIGGER
            case By.MONTH:
                return self.month


@dataclass(frozen=True)
class Spread:
    """Known values in order: seconds, or shares from 0 to 1. Never empty."""

    values: tuple[float, ...]

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def p50(self) -> float:
        return percentile(self.values, 50)

    @property
    def p90(self) -> float:
        return percentile(self.values, 90)

    @property
    def p95(self) -> float:
        return percentile(self.values, 95)


@dataclass(frozen=True)
class Line:
    """One metric in one group."""

    metric: Metric
    outcomes: Mapping[Outcome, int]
    running: int
    """How many have no value yet because they run. With those that are known or unknown, these are all."""
    spread: Spread | None
    """None where no value is known, and for how it was detected."""
    methods: Mapping[DetectionMethod, int]
    """How often each way of detection, the most frequent first; empty for every other metric."""
    unknown_because: Mapping[str, int]
    """Why values are not known, the most frequent first."""

    def count(self, outcome: Outcome) -> int:
        return self.outcomes.get(outcome, 0)

    @property
    def known(self) -> int:
        return self.spread.n if self.spread is not None else sum(self.methods.values())

    @property
    def unknown(self) -> int:
        return self.count(Outcome.UNKNOWN)

    @property
    def judged(self) -> int:
        """How many a target was held against, with a result."""
        return self.count(Outcome.MET) + self.count(Outcome.MISSED)


@dataclass(frozen=True)
class Group:
    """Incidents of one severity, trigger or month; or all of them."""

    label: str
    incidents: int
    """How many were measured."""
    running: int
    """How many of these have not ended."""
    false_positives: int
    duplicates: int
    lines: tuple[Line, ...]

    @property
    def empty(self) -> bool:
        return not (self.incidents or self.false_positives or self.duplicates)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """By linear interpolation between the two nearest values: numpy's default, `statistics.quantiles(method="inclusive")`.

    `ordered` is sorted and not empty. The median of two values is their mean; with one value every percentile is that value.
    """
    place = (len(ordered) - 1) * percent / 100
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def group(label: str, cases: Iterable[Case], metrics: Iterable[Metric]) -> Group:
    held = list(cases)
    measured = [case for case in held if case.measured]
    statuses = Counter(case.status for case in held)
    by_metric: dict[str, list[Measured]] = {}
    for one in (one for case in measured for one in case.measured):
        by_metric.setdefault(one.metric, []).append(one)
    return Group(
        label=label,
        incidents=len(measured),
        running=sum(case.running for case in measured),
        false_positives=statuses[Status.FALSE_POSITIVE],
        duplicates=statuses[Status.DUPLICATE],
        lines=tuple(_line(metric, by_metric.get(metric.id, [])) for metric in metrics),
    )


def groups(cases: Sequence[Case], metrics: Sequence[Metric], by: By) -> tuple[Group, ...]:
    """Severities from the worst; months from the first, those without an incident too; triggers by how many there were."""
    held: dict[str, list[Case]] = {}
    for case in cases:
        held.setdefault(case.label(by), []).append(case)
    match by:
        case By.SEVERITY:
            labels = sorted(held)
        case By.MONTH:
            labels = months(min(held), max(held)) if held else []
        case By.TRIGGER:
            labels = sorted(held, key=lambda label: (-len(held[label]), label))
    return tuple(group(label, held.get(label, ()), metrics) for label in labels)


def months(first: str, last: str) -> list[str]:
    """Every month from `2026-11` to `2027-02`, both named. A month without incidents is a gap that can be seen."""
    begin, end = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (first, last))
    return [f"{month // 12:04d}-{month % 12 + 1:02d}" for month in range(begin, end + 1)]


def _line(metric: Metric, found: Sequence[Measured]) -> Line:
    values = sorted(value for one in found if (value := _number(one.value)) is not None)
    methods = Counter(one.value for one in found if isinstance(one.value, DetectionMethod))
    unknown = Counter(one.why for one in found if one.outcome is Outcome.UNKNOWN)
    return Line(
        metric=metric,
        outcomes=Counter(one.outcome for one in found),
        running=sum(one.running for one in found),
        spread=Spread(tuple(values)) if values else None,
        methods=dict(methods.most_common()),
        unknown_because=dict(unknown.most_common()),
    )


def _number(value: timedelta | Fraction | DetectionMethod | None) -> float | None:
    match value:
        case timedelta():
            return value.total_seconds()
        case Fraction():
            return float(value)
        case _:
            return None
