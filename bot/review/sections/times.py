"""The timeline of a review, its milestones, and what was sent to stakeholders.

Decides what of a long incident is shown in full: what people and connectors decided always, what comes by the thousand as a
count. The whole timeline is in the CSV file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, cast

from bot.incident.narrative import describe
from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.words import ActorKind, Verdict
from bot.review.about import About
from bot.review.page import Heading, Part, Table, Text
from bot.review.record import Entry
from bot.review.told import moment

H = Happened
LONG = 300
"""Entries from which on a timeline is collapsed."""
RUN = 3
"""So many of what comes by the thousand, one after the other, become one line."""
ENDS = 200
"""Where it is still too long: so many lines of its beginning and of its end."""
MANY = frozenset(
    {
        H.ALERT_ATTACHED, H.EVIDENCE_ADDED, H.EVIDENCE_KEPT, H.EVIDENCE_READ, H.REMINDED, H.JOINED, H.STEP_DONE, H.STEP_NOTED,
        H.STEP_ASSIGNED, H.STEP_SKIPPED, H.STEP_UNDONE, H.NOTE, H.ESCALATED, H.SNOOZED, H.TRIGGER_CHANGED, H.GAVE_UP,
        H.DOCUMENT_WRITTEN, H.ITEM_CHANGED, H.ACTION_TEMPORARY, H.QUESTION_ANSWERED,
    }
)  # fmt: skip
"""What may be counted instead of shown where there is much of it."""
Row = tuple[str, ...]


def timeline(about: About) -> Sequence[Part]:
    entries = about.record.entries
    shown = _rows(about, entries) if len(entries) <= LONG else _collapsed(about, entries)
    told = f"{len(entries)} entries. People are named here and nowhere else."
    if len(entries) > LONG:
        told = f"{len(entries)} entries, of which what comes often is counted; the CSV file has them all. " + told[-42:]
    return (
        Heading("Milestones"),
        Table(("Event", "Time (UTC)", "By"), _milestones(about)),
        Heading("Every event"),
        Text(told),
        Table(("Time (UTC)", "By", "Who or what", "What happened"), list(shown), empty="Nothing is on the timeline."),
    )


def _rows(about: About, entries: Iterable[Entry]) -> Iterator[Row]:
    before: datetime | None = None
    for entry in entries:
        back = " (the clock had been set back)" if before is not None and entry.at < before else ""
        before = entry.at
        who = about.people.named(entry.actor) if entry.actor_kind is ActorKind.PERSON else entry.actor
        yield f"{moment(entry.at)}{back}", by(entry), who, sentence(entry)


def by(entry: Entry) -> str:
    return "person" if entry.actor_kind is ActorKind.PERSON else "automated"


def sentence(entry: Entry) -> str:
    return describe(cast(TimelineEntry, entry))  # it has every field that a sentence asks for


def _collapsed(about: About, entries: Sequence[Entry]) -> Iterator[Row]:
    rows: list[Row] = []
    for many, run in groupby(entries, key=lambda entry: entry.kind in MANY):
        group = list(run)
        rows.extend([_counted(group)] if many and len(group) > RUN else _rows(about, group))
    if len(rows) <= 2 * ENDS:
        return iter(rows)
    left = len(rows) - 2 * ENDS
    cut: Row = ("…", "", "", f"{left} more lines are in the CSV file.")
    return iter([*rows[:ENDS], cut, *rows[-ENDS:]])


def _counted(group: Sequence[Entry]) -> Row:
    counts = Counter(entry.kind.value.replace("_", " ") for entry in group)
    told = ", ".join(f"{kind} × {count}" for kind, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])))
    kinds = {by(entry) for entry in group}
    return f"{moment(group[0].at)} to {moment(group[-1].at)}", " and ".join(sorted(kinds)), "several", told


def _milestones(about: About) -> list[tuple[str, str | None, str]]:
    """In the order of the playbook; one that lies before the one above it says so."""
    rows: list[tuple[str, str | None, str]] = []
    before: datetime | None = None
    for milestone in about.playbook.review.timeline:
        at = _reached(about, milestone.id)
        odd = " (before the event above)" if at and before and at < before else ""
        before = at or before
        rows.append((milestone.event, f"{moment(at)}{odd}" if at else None, milestone.actor.replace("_", " ")))
    return rows


def _reached(about: About, milestone: str) -> datetime | None:
    record, incident = about.record, about.record.incident
    entry: Entry | None = None
    match milestone:
        case "detected" | "remediated" | "closed":
            return cast("datetime | None", getattr(incident, f"{milestone}_at"))
        case "containment":
            entry = record.first(H.ACTION_EXECUTING)
        case "investigation":
            entry = record.first(H.PHASE_BEGAN, phase="investigation")
        case "root_cause":
            entry = record.first(H.QUESTION_ANSWERED, question="why")
        case "validated":
            entry = record.first(H.VALIDATED, verdict=Verdict.VERIFIED.value)
        case _:
            return None
    return entry.at if entry is not None else None


def sent(about: About) -> Sequence[Part]:
    """What stakeholders were told."""
    rows: list[Any] = [
        (moment(one.at), about.people.role(one.by), about.people.blameless(one.text)) for one in about.record.updates
    ]
    return (Table(("Time (UTC)", "By", "What they were told"), rows, empty="Nothing was sent to stakeholders."),)
