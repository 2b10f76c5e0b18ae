"""A report as a sketch of a picture. Pure.

Decides what is in it: the incidents, each duration, evidence, detection, by month where nothing else was asked. How it looks is
`draw`'s; that it is drawn in a process of its own is `drawing`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.incident.words import Severity
from bot.metrics.report import Report, RespondBy
from bot.metrics.sketch import FEW, Panel, Point, Sketch
from bot.metrics.summary import By, Group, Line, groups
from bot.metrics.words import counted, inert, note
from bot.playbook.review import Metric

MOST_GROUPS: dict[By, int] = {By.MONTH: 24, By.SEVERITY: 4, By.TRIGGER: 10}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def sketch(report: Report, respond_by: RespondBy) -> Sketch:
    by = report.by or By.MONTH
    found = report.groups if report.by is not None else groups(report.cases, report.metrics, By.MONTH)
    shown = found[-MOST_GROUPS[by] :] if by is By.MONTH else found[: MOST_GROUPS[by]]
    return Sketch(
        title=f"Incidents from {report.since:%Y-%m-%d} to {report.until:%Y-%m-%d} (UTC), by {by}",
        subtitle=counted(report.whole),
        legend=_legend(report, by, shown=len(shown), found=len(found)),
        labels=labels(report, shown, by),
        timeline=by is By.MONTH,
        panels=(_incidents(shown, report.whole), *_panels(report, shown, by, respond_by)) if shown else (),
    )


def _legend(report: Report, by: By, *, shown: int, found: int) -> str:
    if not shown:
        return "No incident was declared in this time."
    told = [
        "● median",
        "▬ up to the 90th percentile",
        f"○ each value, where there are fewer than {FEW}",
        "n values known",
    ]
    told += ["* part of a month"] if by is By.MONTH else []
    told += [f"{shown} of {found} {_plural(by)}"] if shown < found else []
    told += ["the oldest incidents are left out"] if report.cut else []
    return "   ".join(told)


def labels(report: Report, shown: Sequence[Group], by: By) -> tuple[str, ...]:
    if by is not By.MONTH:
        return tuple(inert(one.label) for one in shown)
    told: list[str] = []
    for place, one in enumerate(shown):
        year, month = int(one.label[:4]), int(one.label[5:])
        begins = datetime(year, month, 1, tzinfo=UTC)
        ends = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        part = "*" if report.since > begins or report.until < ends else ""
        told.append(MONTHS[month - 1] + part + (f"\n{year}" if place == 0 or month == 1 else ""))
    return tuple(told)


def _incidents(shown: Sequence[Group], whole: Group) -> Panel:
    return Panel("Incidents", f"{whole.incidents:,} measured", "count", tuple(Point(one.incidents) for one in shown))


def _panels(report: Report, shown: Sequence[Group], by: By, respond_by: RespondBy) -> list[Panel]:
    panels = []
    for index, line in enumerate(report.whole.lines):
        of_groups = [one.lines[index] for one in shown]
        points = tuple(
            _method(one)
            if line.metric.kind == "method"
            else _point(one, _own_target(one.metric, group, by, respond_by, report))
            for one, group in zip(of_groups, shown, strict=True)
        )
        panels.append(_panel(line, points, by))
    return panels


def _panel(line: Line, points: tuple[Point, ...], by: By) -> Panel:
    metric = line.metric
    if metric.kind != "duration":
        title = f"{metric.title}: share {'that was ' + str(metric.preferred) if metric.preferred else 'kept'}"
        return Panel(title, note(line), "share", points)
    target = metric.under_minutes * 60.0 if metric.under_minutes is not None and by is not By.SEVERITY else None
    lined = target is not None or any(point.target is not None for point in points)
    return Panel(metric.title, note(line), "seconds", points, target, f"{'┅ ' if lined else ''}{metric.target}")


def _point(line: Line, target: float | None) -> Point:
    spread = line.spread
    if spread is None:
        return Point(0)
    if spread.n < FEW:
        return Point(spread.n, values=spread.values, target=target)
    return Point(spread.n, spread.p50, spread.p90 if line.metric.kind == "duration" else None, target=target)


def _method(line: Line) -> Point:
    """The share that the preferred way noticed."""
    if not line.known:
        return Point(0)
    assert line.metric.preferred is not None
    share = line.methods.get(line.metric.preferred, 0) / line.known
    return Point(line.known, values=(share,)) if line.known < FEW else Point(line.known, share)


def _own_target(metric: Metric, group: Group, by: By, respond_by: RespondBy, report: Report) -> float | None:
    """Where the groups are severities, each has its own; a response by the next business day is no number of seconds."""
    if by is not By.SEVERITY or metric.kind != "duration":
        return None
    severity = Severity.parse(group.label)
    if metric.severities and severity not in metric.severities:
        return None
    if metric.under_minutes is not None:
        return metric.under_minutes * 60.0
    spans = {respond_by(severity, at) - at for at in (report.since, report.until)}
    return spans.pop().total_seconds() if len(spans) == 1 else None


def _plural(by: By) -> str:
    return "severities" if by is By.SEVERITY else f"{by}s"
