"""One metric of one incident: its value or that it is not known, its target, and whether the target was met.

Decides how a value is computed and compared, and what is counted at all. Which metrics there are and their targets are
`playbooks/metrics.yaml`'s; medians over many incidents are `bot.metrics`'. What is not known is said, never zero (design law 12).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Literal, Protocol

from bot.incident.words import DetectionMethod, Severity, Status

Moment = Literal["started", "declared", "detected", "notified", "acknowledged", "contained", "remediated", "resolved"]
Kind = Literal["duration", "method", "completeness"]
STAMPS: dict[Moment, str] = {
    "started": "started_at",
    "declared": "declared_at",
    "detected": "detected_at",
    "acknowledged": "acknowledged_at",
    "contained": "contained_at",
    "remediated": "remediated_at",
    "resolved": "resolved_at",
}
"""Where the incident keeps each moment: the first time it came, also after a reopening. When stakeholders were told is
asked of the store."""
FALSE_ALARMS = frozenset({Status.FALSE_POSITIVE, Status.DUPLICATE})
"""Counted, and not measured: there was nothing to contain, or it is measured in the other incident."""
UNKNOWN_TARGET = "the response time is not known"


class Wanted(Protocol):
    """A metric as the playbook says it: `bot.playbook.review.Metric`."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def starts(self) -> Moment | None: ...
    @property
    def ends(self) -> Moment | None: ...
    @property
    def under_minutes(self) -> int | None: ...
    @property
    def preferred(self) -> DetectionMethod | None: ...
    @property
    def severities(self) -> tuple[Severity, ...]: ...


class Recorded(Protocol):
    """What is read of an incident: `bot.incident.incident.Incident`, or a row with as much of it."""

    @property
    def severity(self) -> Severity: ...
    @property
    def status(self) -> Status: ...
    @property
    def detection(self) -> DetectionMethod: ...
    @property
    def drill(self) -> bool: ...
    @property
    def started_at(self) -> datetime | None: ...
    @property
    def declared_at(self) -> datetime: ...
    @property
    def detected_at(self) -> datetime | None: ...
    @property
    def acknowledged_at(self) -> datetime | None: ...
    @property
    def contained_at(self) -> datetime | None: ...
    @property
    def remediated_at(self) -> datetime | None: ...
    @property
    def resolved_at(self) -> datetime | None: ...
    @property
    def ended_at(self) -> datetime | None: ...


class Outcome(StrEnum):
    """What became of a metric's target in one incident."""

    MET = "met"
    MISSED = "missed"
    """The value is known and misses it; or there is none yet, and its time is over."""
    UNKNOWN = "unknown"
    RUNNING = "running"
    """The incident runs, and the target can still be met."""
    NO_TARGET = "no_target"
    """The value is known, and the playbook sets no target for this severity."""


@dataclass(frozen=True)
class Facts:
    """What is known of one incident, as far as metrics ask. Times are aware; None is not known."""

    severity: Severity
    detection: DetectionMethod
    now: datetime
    ended: bool
    times: Mapping[Moment, datetime | None] = field(default_factory=dict)
    respond_by: datetime | None = None
    """By when somebody had to answer, counted from its opening; None where the severity's response time is not known."""
    evidence_wanted: int = 0
    """How much evidence the playbook wants of it; 0 where it wants none."""
    evidence_kept: int = 0
    """How much of that is kept."""


@dataclass(frozen=True)
class Measured:
    """One metric of one incident."""

    metric: str
    outcome: Outcome
    why: str
    """In words, for the review: what is not known, or by how much the target was missed."""
    value: timedelta | Fraction | DetectionMethod | None = None
    """A duration; a share from 0 to 1; how it was detected. None where it is not known."""
    target: timedelta | None = None
    """Of a duration: less than this meets it."""
    running: bool = False
    """There is no value yet, because the incident runs: it may have missed its target already."""

    @property
    def known(self) -> bool:
        return self.value is not None


def facts_of(
    incident: Recorded,
    *,
    now: datetime,
    notified_at: datetime | None,
    respond_by: datetime | None,
    evidence_wanted: int = 0,
    evidence_kept: int = 0,
) -> Facts:
    """`respond_by` as `response_due` says it for the moment of its opening."""
    times: dict[Moment, datetime | None] = {moment: getattr(incident, stamp) for moment, stamp in STAMPS.items()}
    return Facts(
        severity=incident.severity,
        detection=incident.detection,
        now=now,
        ended=incident.ended_at is not None,
        times={**times, "notified": notified_at},
        respond_by=respond_by,
        evidence_wanted=evidence_wanted,
        evidence_kept=evidence_kept,
    )


def counted(incident: Recorded) -> bool:
    """Drills are never measured; a false positive or a duplicate is counted as such, and not measured."""
    return not incident.drill and incident.status not in FALSE_ALARMS


def measure(metric: Wanted, facts: Facts) -> Measured:
    """Value, target and whether it was met, with the reason in words."""
    match metric.kind:
        case "duration":
            return _duration(metric, facts)
        case "method":
            return _method(metric, facts)
        case "completeness":
            return _completeness(metric, facts)


def _duration(metric: Wanted, facts: Facts) -> Measured:
    assert metric.starts is not None and metric.ends is not None
    target = target_of(metric, facts)
    starts, ends = facts.times.get(metric.starts), facts.times.get(metric.ends)
    if starts is None:
        return Measured(metric.id, Outcome.UNKNOWN, f"when it was {metric.starts} is not known", target=target)
    if ends is None:
        return _not_yet(metric, facts, facts.now - starts, target)
    if ends < starts:
        why = f"out of order: {metric.ends} before it was {metric.starts}"
        return Measured(metric.id, Outcome.UNKNOWN, why, target=target)
    took = ends - starts
    if target is None:
        why = "no target at this severity" if metric.under_minutes is not None else UNKNOWN_TARGET
        return Measured(metric.id, Outcome.NO_TARGET, why, took)
    if took < target:
        return Measured(metric.id, Outcome.MET, f"{in_words(took)}, under {in_words(target)}", took, target)
    return Measured(metric.id, Outcome.MISSED, f"{in_words(took)}, not under {in_words(target)}", took, target)


def _not_yet(metric: Wanted, facts: Facts, so_far: timedelta, target: timedelta | None) -> Measured:
    """An incident that runs is no incident of zero; one that ran past its target has missed it already."""
    if facts.ended:
        return Measured(metric.id, Outcome.UNKNOWN, f"it was never recorded as {metric.ends}", target=target)
    running = f"not {metric.ends} yet"
    if target is not None and so_far >= target:
        return Measured(metric.id, Outcome.MISSED, f"{running}, after {in_words(so_far)}", target=target, running=True)
    return Measured(metric.id, Outcome.RUNNING, running, target=target, running=True)


def target_of(metric: Wanted, facts: Facts) -> timedelta | None:
    """None where the playbook sets none for this severity. A duration without minutes has the severity's response time."""
    if metric.severities and facts.severity not in metric.severities:
        return None
    if metric.under_minutes is not None:
        return timedelta(minutes=metric.under_minutes)
    declared = facts.times.get("declared")
    return None if facts.respond_by is None or declared is None else facts.respond_by - declared


def _method(metric: Wanted, facts: Facts) -> Measured:
    told = facts.detection.replace("_", " ")
    if metric.severities and facts.severity not in metric.severities:
        return Measured(metric.id, Outcome.NO_TARGET, told, facts.detection)
    met = facts.detection is metric.preferred
    return Measured(metric.id, Outcome.MET if met else Outcome.MISSED, told, facts.detection)


def _completeness(metric: Wanted, facts: Facts) -> Measured:
    if facts.evidence_wanted < 1:
        return Measured(metric.id, Outcome.UNKNOWN, "the playbook wants no evidence of it")
    kept = min(facts.evidence_kept, facts.evidence_wanted)
    share, why = (
        Fraction(kept, facts.evidence_wanted),
        f"{kept} of {facts.evidence_wanted} that are wanted are kept",
    )
    if metric.severities and facts.severity not in metric.severities:
        return Measured(metric.id, Outcome.NO_TARGET, why, share)
    if share == 1:
        return Measured(metric.id, Outcome.MET, why, share)
    return Measured(metric.id, Outcome.MISSED if facts.ended else Outcome.RUNNING, why, share)


def in_words(span: timedelta) -> str:
    """`40 s`, `12 min`, `3 h 05 min`, `2 d 4 h`. Cut, not rounded up: 59 minutes and 59 seconds are not an hour."""
    seconds = int(span.total_seconds())
    minutes = seconds // 60
    if minutes < 1:
        return f"{seconds} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h" if minutes % 1440 // 60 else f"{minutes // 1440} d"
