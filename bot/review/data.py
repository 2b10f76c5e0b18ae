"""The review for machines: JSON with every section and the whole evidence index, and the whole timeline as CSV.

Decides their form, and that no cell of the CSV can be taken for a formula by the program that opens it (OWASP, CSV injection).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict

from bot.incident.cells import guarded
from bot.incident.columns import Json
from bot.incident.visible import visible
from bot.review.about import About
from bot.review.page import Page, Part, Section
from bot.review.sections.times import by, sentence

FORMAT = "firsthour-review/1"
HEADERS = ("seq", "at", "by", "actor", "kind", "what", "sha256")
MOVING = frozenset({"dedup_key", "late_told_at", "head_seq", "head_hash"})
"""Of the incident: what changes with every entry, or is of use to nobody outside."""


def as_json(about: About, page: Page) -> str:
    """Keys are sorted, and everything is ASCII: what shows nothing is written as its number. What nobody provided is null."""
    incident = about.record.incident.model_dump(mode="json", exclude=set(MOVING))
    pieces = [one.model_dump(mode="json", exclude={"excerpt", "origin"}) for one in about.record.evidence]
    told: Json = {
        "format": FORMAT,
        "title": page.title,
        "label": page.label,
        "remark": page.remark,
        "entries": about.record.head,
        "incident": incident,
        "evidence": pieces,
        "validations": [_run(one.model_dump(mode="json")) for one in about.record.runs],
        "sections": [_section(one) for one in page.sections],
    }
    return json.dumps(told, indent=1, sort_keys=True) + "\n"


def _run(run: Json) -> Json:
    return {name: value for name, value in run.items() if not name.startswith("lease")}


def _section(section: Section) -> Json:
    return {"id": section.id, "title": section.title, "parts": [_part(part) for part in section.parts]}


def _part(part: Part) -> Json:
    return {"kind": type(part).__name__.lower(), **asdict(part)}


def timeline_csv(about: About) -> str:
    """RFC 4180. Times are ISO 8601 in UTC; `sha256` is the entry's link of the chain."""
    written = io.StringIO(newline="")
    rows = csv.writer(written)
    rows.writerow(HEADERS)
    rows.writerows(_rows(about))
    return written.getvalue()


def _rows(about: About) -> Iterator[list[str]]:
    for entry in about.record.entries:
        told = (entry.actor, entry.kind.value, sentence(entry))
        at = entry.at.isoformat(timespec="microseconds")
        yield [str(entry.seq), at, by(entry), *(plain(text) for text in told), entry.hash]


def plain(text: str) -> str:
    shown = visible(text)
    return guarded(shown)
