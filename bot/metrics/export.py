"""Metrics for other tools: CSV with a row for each incident and metric, JSON with everything.

Decides the columns and keys; `docs/metrics.md` lists them, and they stay. Durations are seconds, shares from 0 to 1; what is not
known is an empty cell or null, and why stands beside it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from bot.incident.cells import guarded
from bot.incident.columns import Json
from bot.incident.metrics import Measured, Outcome
from bot.metrics.form import Form
from bot.metrics.report import Report
from bot.metrics.summary import By, Case, Group, Line, Spread, groups

FORMAT = "firsthour-metrics/1"
PERCENTILES = "linear interpolation between the two nearest values (numpy's default, Hyndman and Fan's type 7)"
COLUMNS = (
    "incident", "severity", "trigger", "status", "month", "declared_at", "metric", "value", "unit", "target", "outcome", "why",
)  # fmt: skip
UNITS = {"duration": "seconds", "completeness": "share", "method": "word"}


def exported(report: Report, form: Form, now: datetime) -> str:
    return as_csv(report) if form is Form.CSV else json.dumps(as_json(report, now), indent=2, ensure_ascii=False)


def as_csv(report: Report) -> str:
    """RFC 4180. The latest incident first; a false positive or duplicate has one row, without a metric."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([guarded(cell) for cell in row] for case in report.cases for row in _rows(case, report))
    return out.getvalue()


def _rows(case: Case, report: Report) -> Iterator[tuple[str, ...]]:
    about = (
        f"INC-{case.number}",
        case.severity.label,
        case.trigger or "",
        case.status.value,
        case.month,
        _iso(case.declared_at),
    )
    if not case.measured:
        yield (*about, "", "", "", "", "not_measured", case.status.replace("_", " "))
    for metric, one in zip(report.metrics, case.measured, strict=bool(case.measured)):
        known = (_text(_value(one)), UNITS[metric.kind], _text(_seconds(one.target)))
        yield (*about, metric.id, *known, one.outcome.value, one.why)


def as_json(report: Report, now: datetime) -> Json:
    by = {f"by_{one}": [_group(each) for each in groups(report.cases, report.metrics, one)] for one in By}
    return {
        "format": FORMAT,
        "made_at": _iso(now),
        "since": _iso(report.since),
        "until": _iso(report.until),
        "drills": "not included",
        "cut": report.cut,
        "percentiles": PERCENTILES,
        "metrics": [one.model_dump(mode="json", exclude_none=True) for one in report.metrics],
        "all": _group(report.whole),
        **by,
        "incidents": [_case(case) for case in report.cases],
    }


def _group(one: Group) -> Json:
    return {
        "label": one.label,
        "incidents": one.incidents,
        "running": one.running,
        "false_positives": one.false_positives,
        "duplicates": one.duplicates,
        "metrics": {line.metric.id: _line(line) for line in one.lines},
    }


def _line(line: Line) -> Json:
    return {
        "unit": UNITS[line.metric.kind],
        "n": line.known,
        **({"detected_by": dict(line.methods)} if line.metric.kind == "method" else _spread(line.spread)),
        "unknown": line.unknown,
        "running": line.running,
        "outcomes": {outcome.value: line.count(outcome) for outcome in Outcome},
        "unknown_because": dict(line.unknown_because),
    }


def _spread(spread: Spread | None) -> Json:
    if spread is None:
        return dict.fromkeys(("p50", "p90", "p95", "least", "most"))
    least, most = spread.values[0], spread.values[-1]
    return {"p50": spread.p50, "p90": spread.p90, "p95": spread.p95, "least": least, "most": most}


def _case(case: Case) -> Json:
    return {
        "incident": f"INC-{case.number}",
        "severity": case.severity.label,
        "trigger": case.trigger,
        "status": case.status.value,
        "declared_at": _iso(case.declared_at),
        "metrics": {
            one.metric: {
                "value": _value(one),
                "target": _seconds(one.target),
                "outcome": one.outcome.value,
                "why": one.why,
            }
            for one in case.measured
        },
    }


def _value(one: Measured) -> float | str | None:
    match one.value:
        case timedelta():
            return _seconds(one.value)
        case Fraction():
            return round(float(one.value), 4)
        case None:
            return None
        case _:
            return one.value.value


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _text(value: float | str | None) -> str:
    return "" if value is None else str(value)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
