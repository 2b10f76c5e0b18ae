"""A report as a table: rows of plain text, within what a table in Slack may hold. Pure.

Decides columns and rows. Making blocks of it is the command's; the same rows without columns are the text for screen readers.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.incident.metrics import Outcome
from bot.incident.redact import clip
from bot.metrics.report import Report
from bot.metrics.summary import Group, Line
from bot.metrics.words import amount, inert, middle, note

MOST_ROWS = 40
"""Of groups: the latest months, or the triggers with the most incidents. Slack takes 100 rows and 10,000 characters."""
CELL_CHARS = 40
NOTHING = "—"


@dataclass(frozen=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0
    """Groups that there was no room for."""


WHOLE = ("Metric", "n", "Median", "p90", "p95", "Target met", "Unknown", "Running", "Target")


def table(report: Report) -> Table:
    """One row a metric; where groups were asked for, one row a group with each metric's middle."""
    if report.by is None:
        return Table(WHOLE, tuple(_row(line) for line in report.whole.lines))
    shown = report.groups[-MOST_ROWS:] if report.by == "month" else report.groups[:MOST_ROWS]
    head = (report.by.capitalize(), "Incidents", *(line.metric.title for line in report.whole.lines))
    rows = tuple((inert(one.label), f"{one.incidents:,}", *(_cell(line) for line in one.lines)) for one in shown)
    everything = ("All", f"{report.whole.incidents:,}", *(_cell(line) for line in report.whole.lines))
    return Table(head, (*rows, everything), left_out=len(report.groups) - len(shown))


def _row(line: Line) -> tuple[str, ...]:
    first = middle(line).removeprefix("median ") if line.known else NOTHING
    slow = line.spread if line.metric.kind == "duration" else None  # of a share, the high end is the good one
    high = (NOTHING, NOTHING) if slow is None else (amount(line, slow.p90), amount(line, slow.p95))
    met = f"{line.count(Outcome.MET):,} of {line.judged:,}" if line.judged else NOTHING
    beside = (f"{line.unknown:,}", f"{line.running:,}")
    return (line.metric.title, f"{line.known:,}", first, *high, met, *beside, line.metric.target)


def _cell(line: Line) -> str:
    """`3 h 05 min (n 12)`; a dash where nothing is known, never a zero."""
    return f"{middle(line).removeprefix('median ')} (n {line.known:,})" if line.known else NOTHING


def lines(report: Report) -> list[str]:
    """The table as sentences: for notifications, screen readers and terminals."""
    if report.by is None:
        return [
            f"{line.metric.title}: {middle(line)} ({note(line)}). {line.metric.target}." for line in report.whole.lines
        ]
    return [_sentence(one) for one in (*report.groups, report.whole)]


def _sentence(one: Group) -> str:
    known = [f"{line.metric.title} {middle(line)} (n {line.known:,})" for line in one.lines if line.known]
    return clip(f"{inert(one.label)}: {one.incidents:,} measured. {'; '.join(known) or 'Nothing is known'}.", 400)
