"""How figures read in words: in the table, in the picture, to those who do not see it. Pure.

Decides the phrases. Which figures there are is `summary`'s.
"""

from __future__ import annotations

from datetime import timedelta

from bot.incident.metrics import Outcome, in_words
from bot.incident.narrative import so_many
from bot.incident.redact import clip
from bot.incident.words import DetectionMethod
from bot.metrics.report import Report
from bot.metrics.summary import Group, Line

LABEL_CHARS, ALT_CHARS = 30, 1000


def counted(whole: Group) -> str:
    """`41 incidents measured, 2 of them running; 3 false positives and 1 duplicate are not measured`."""
    told = f"{so_many(whole.incidents, 'incident')} measured, {whole.running} of them running"
    if whole.false_positives or whole.duplicates:
        beside = f"{so_many(whole.false_positives, 'false positive')} and {so_many(whole.duplicates, 'duplicate')}"
        told += f"; {beside} not measured"
    return told


def inert(label: str) -> str:
    """A name from an alert, on one line: what shows nothing or turns the line around is not drawn."""
    return clip("".join(mark if mark.isprintable() else "·" for mark in label), LABEL_CHARS) or "·"


def note(line: Line) -> str:
    """`n 12 · target met 3 of 4 · unknown 2 · running 1`."""
    parts = [f"n {line.known:,}"]
    if line.judged:
        parts.append(f"target met {line.count(Outcome.MET):,} of {line.judged:,}")
    parts += [f"{what} {count:,}" for what, count in (("unknown", line.unknown), ("running", line.running)) if count]
    return " · ".join(parts)


def described(report: Report) -> str:
    """The picture for those who do not see it."""
    of_each = (f"{line.metric.title}: {middle(line)}, {note(line)}." for line in report.whole.lines)
    return clip(" ".join([f"Charts of {counted(report.whole)}.", *of_each]), ALT_CHARS)


def middle(line: Line) -> str:
    """`median 3 h 05 min`, `80 % automated`, `not known`."""
    if line.metric.kind == "method":
        share = line.methods.get(line.metric.preferred or DetectionMethod.AUTOMATED, 0)
        return f"{share / line.known:.0%} {line.metric.preferred}".replace("%", " %") if line.known else "not known"
    if line.spread is None:
        return "not known"
    return f"median {amount(line, line.spread.p50)}"


def amount(line: Line, value: float) -> str:
    if line.metric.kind == "completeness":
        return f"{value * 100:.0f} %"
    return in_words(timedelta(seconds=value))
