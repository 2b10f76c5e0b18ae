"""Placeholders for whatever names somebody: the same id is the same placeholder in one document. Pure.

Decides what is known to identify a person, a customer or this organisation: every id of the incident. What somebody types is
looked through for exactly these; whoever releases it reads it once more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.review.record import Record
from bot.review.told import IDS, MENTION, is_person

SHORTEST = 3
"""An id of fewer characters is replaced nowhere but alone: it stands in half of all words."""
EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}")
ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")


@dataclass
class Placeholders:
    """`user-1`, `session-1` … in the order in which they are asked for."""

    made: dict[tuple[str, str], str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def of(self, kind: str, id: str | None) -> str:
        if not id:
            return f"{kind}-unknown"
        if (kind, id) not in self.made:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            self.made[kind, id] = f"{kind}-{self.counts[kind]}"
        return self.made[kind, id]

    def known(self, record: Record) -> None:
        """Number every id of the incident, in the order of the record."""
        for kind, id in _ids(record):
            self.of(kind, id)

    def without(self, text: str) -> str:
        """What somebody wrote, with every known id replaced, the longest first, and whatever looks like an address."""
        text = MENTION.sub("a-responder", text)
        for (_, id), placeholder in sorted(self.made.items(), key=lambda one: (-len(one[0][1]), one[0])):
            if len(id) >= SHORTEST:
                text = re.sub(rf"(?<!\w){re.escape(id)}(?!\w)", placeholder, text, flags=re.IGNORECASE)
        text = ADDRESS.sub("an-address", EMAIL.sub("an-address", text))
        return IDS.sub(lambda found: "a-responder" if _slack_id(found[0]) else found[0], text)


def _slack_id(word: str) -> bool:
    return len(word) >= 9 and any(one.isdigit() for one in word)


def _ids(record: Record) -> Iterator[tuple[str, str]]:
    incident = record.incident
    if incident.subject_id:
        yield incident.subject_kind.value, incident.subject_id
    if incident.session_id:
        yield "session", incident.session_id
    if incident.app:
        yield "application", incident.app
    for action in record.actions:
        yield action.scope_kind.value, action.scope_id
    for model in record.exposure.models if record.exposure else ():
        yield "model", model
    for environment in record.exposure.environments if record.exposure else ():
        yield "environment", environment
    for run in record.runs:
        yield "target", run.target
    people = dict.fromkeys(entry.actor for entry in record.entries if is_person(entry.actor))
    for person in people:
        yield "responder", person
