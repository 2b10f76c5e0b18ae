"""What `firsthour tune` says to people: a table with a small plot, what really happened, and what is not known.

Decides the words and the shape. Ids were written by strangers: what is invisible in them is named, a secret is not shown.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.incident.redact import redact
from bot.incident.visible import visible
from bot.tuning.replay import Subject
from bot.tuning.report import TOP, Report, moment

WIDTH = 16
"""Characters of the longest bar."""
ID_CHARS = 40


def as_text(report: Report) -> RenderableType:
    """For a terminal, of whatever width."""
    named = f" of {visible(report.app)}" if report.app else ""
    head = Text(f"{report.trigger}{named}, {moment(report.since)} to {moment(report.until)}")
    coverage = f"{report.covered:.0%} of this time is in the log: {report.replayed.coverage.events:,} events."
    notes = [Text(f"· {note}") for note in report.notes()]
    shown = [_table(report)] if report.known else []
    return Group(head, Text(coverage), *shown, *(Text(line) for line in _really(report)), *notes)


def _table(report: Report) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(report.setting.name if report.setting else "", justify="right", no_wrap=True)
    table.add_column("would fire", justify="right")
    table.add_column("", no_wrap=True)
    table.add_column("false positives\nagain", justify="right")
    table.add_column("others\nagain", justify="right")
    table.add_column("most on", overflow="fold")
    rows = list(report.rows())
    most = max((fired.incidents for _, fired, _ in rows), default=0)
    for value, fired, now in rows:
        bar = "█" * round(WIDTH * fired.incidents / most) if most else ""
        table.add_row(
            "" if value is None else f"{value:g}",
            str(fired.incidents),
            Text(f"{bar or ('▏' if fired.incidents else '')}{' ◀ in force' if now else ''}"),
            _of(report.still(fired), len(report.really.false_positives) if report.really else 0),
            _of(
                report.kept(fired),
                len(report.really.opened) - len(report.really.false_positives) if report.really else 0,
            ),
            Text(", ".join(_named(subject, count) for subject, count in fired.subjects.most_common(TOP))),
        )
    return table


def _really(report: Report) -> Iterator[str]:
    if report.really is None:
        yield "What really fired is unknown: the store could not be read."
        return
    really = report.really
    attached = sum(count for answer, count in really.answers.items() if answer not in {"opened", "escalated"})
    yield (
        f"Really: {len(really.opened)} incidents, {len(really.false_positives)} of them marked as false positives; "
        f"{attached} further findings were counted in an incident."
    )
    if report.suppressed:
        yield f"{report.suppressed} finding{' was' if report.suppressed == 1 else 's were'} suppressed and opened nothing."


def _of(count: int | None, total: int) -> str:
    return "unknown" if count is None else f"{count} of {total}"


def _named(subject: Subject, count: int) -> str:
    where = f" in {visible(redact(subject.app))[:ID_CHARS]}" if subject.app else ""
    shown = visible(f"{subject.kind}:{redact(subject.id or '?')}")[:ID_CHARS]
    return f"{shown}{where} ×{count}"
