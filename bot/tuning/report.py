"""What `firsthour tune` found out, and how it says so to machines. To people it is `table`'s.

Decides what must be said beside the figures. What is not known is said to be unknown, never shown as zero (design law 12).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.incident.redact import redact
from bot.store.firings import Firings, Opened
from bot.tuning.replay import GAP, Fired, Replayed, Subject
from bot.tuning.thresholds import Number, Setting

TOP = 5
"""Subjects that are named."""


@dataclass(frozen=True)
class Report:
    trigger: str
    app: str | None
    setting: Setting | None
    since: float
    until: float
    begins: float | None
    """When the log begins, Unix seconds; None where there is no log."""
    replayed: Replayed
    really: Firings | None
    """None where the store could not be read."""
    shadow: bool
    learns: bool
    """The rule compares with what it has learned."""
    suppressed: int
    """Findings in the log that would have opened an incident."""

    @property
    def known(self) -> bool:
        """The log holds something of the time that was asked about."""
        return self.begins is not None and self.begins < self.until

    @property
    def covered(self) -> float:
        """The part of the time that the log covers, 0 to 1."""
        if self.begins is None:
            return 0.0
        return max(0.0, min(1.0, (self.until - max(self.since, self.begins)) / (self.until - self.since)))

    def rows(self) -> Iterator[tuple[Number | None, Fired, bool]]:
        """Threshold, what it would have done, and whether it is the one in force."""
        if self.setting is None:
            yield None, self.replayed.in_force, True
            return
        for value, fired in self.replayed.trials.items():
            yield value, fired, value == self.setting.value

    def still(self, fired: Fired) -> int | None:
        """Of the incidents that were false positives, how many have a subject that this would fire on; None: not known."""
        if self.really is None:
            return None
        return sum(_subject(one) in fired.subjects for one in self.really.false_positives)

    def kept(self, fired: Fired) -> int | None:
        """The same of the incidents that were not marked as false positives."""
        if self.really is None:
            return None
        return sum(_subject(one) in fired.subjects for one in self.really.opened if not one.false_positive)

    def notes(self) -> Iterator[str]:
        """What must be known to read the figures rightly."""
        if not self.known:
            yield "The log of seen events holds nothing of this time: what would have fired is unknown."
            return
        assert self.begins is not None
        if self.begins > self.since:
            yield f"The log begins at {moment(self.begins)}; before that it is unknown, so every count is “at least”."
        if self.replayed.coverage.gaps:
            hours = self.replayed.coverage.gaps / 3600
            yield f"For {hours:.1f} h in stretches of more than one hour nothing came: no traffic, or nothing was taken."
        last = self.replayed.coverage.last
        if last is not None and self.until - last > GAP:
            yield f"The last event came at {moment(last)}: since then there was no traffic, or nothing was taken."
        if self.replayed.evictions:
            yield f"{self.replayed.evictions} keys did not fit and were dropped: counts may be too low."
        own = self.setting and self.replayed.trials[self.setting.value].incidents != self.replayed.in_force.incidents
        if own:
            yield (
                "Some applications have settings of their own: as it is set now it would fire "
                f"{self.replayed.in_force.incidents} times."
            )
        if self.learns:
            yield "It learns from the beginning of the log on, and says nothing of an application in its first three days."
        if self.shadow:
            yield "The trigger is in shadow: it counts and opens nothing."
        yield "Suppressions are not applied to what would have fired."


def as_json(report: Report) -> dict[str, Any]:
    """`would_fire` and all that follows from the log is null where the log holds nothing of the time."""
    coverage, really = report.replayed.coverage, report.really
    return {
        "trigger": report.trigger,
        "app": report.app,
        "setting": report.setting.name if report.setting else None,
        "in_force": report.setting.value if report.setting else None,
        "asked": {"since": moment(report.since), "until": moment(report.until)},
        "log": {
            "begins": None if report.begins is None else moment(report.begins),
            "covered": round(report.covered, 4),
            "events": coverage.events,
            "gap_hours": round(coverage.gaps / 3600, 2),
        },
        "in_force_would_fire": report.replayed.in_force.incidents if report.known else None,
        "thresholds": [_row(report, value, fired, now) for value, fired, now in report.rows()],
        "really": None
        if really is None
        else {
            "opened": len(really.opened),
            "false_positives": len(really.false_positives),
            "findings": dict(really.answers),
            "suppressed": report.suppressed if report.known else None,
        },
        "notes": list(report.notes()),
    }


def _row(report: Report, value: Number | None, fired: Fired, in_force: bool) -> dict[str, Any]:
    if not report.known:
        return {"threshold": value, "in_force": in_force, "would_fire": None}
    top = fired.subjects.most_common(TOP)
    return {
        "threshold": value,
        "in_force": in_force,
        "would_fire": fired.incidents,
        "findings": fired.findings,
        "subjects": [
            {"kind": kind, "id": name and redact(name), "app": app and redact(app), "count": count}
            for (kind, name, app), count in top
        ],
        "false_positives_again": report.still(fired),
        "others_again": report.kept(fired),
    }


def moment(at: float) -> str:
    """`2026-03-02T09:00:00Z`"""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _subject(one: Opened) -> Subject:
    return Subject(one.subject_kind, one.subject_id, one.app)
