"""Somebody else's webhook becomes native alerts, by the JMESPath of its source (`playbooks/sources/*.yaml`).

Decides what one item of a delivery is: an alert, ignored with a reason, over according to the outside, or bad. Whose
delivery it is was proven before; what an alert does is `bot.cases.receive`'s. Every value is text of a stranger.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import ValidationError

from bot.cases.receive import AlertIn
from bot.incident.words import Severity, SubjectKind
from bot.ingress import explain, times
from bot.playbook.source import Source

LONGEST = {"title": 300, "summary": 3000, "app": 120}
"""Where a sender cannot shorten a field, it is cut to what is stored. A trigger is never cut: it would become another."""
LONGEST_ID = 300


@dataclass(frozen=True)
class Fires:
    alert: AlertIn


@dataclass(frozen=True)
class Over:
    """The outside considers it over."""

    external_id: str | None


@dataclass(frozen=True)
class Ignored:
    why: str


@dataclass(frozen=True)
class Bad:
    error: str


Item = Fires | Over | Ignored | Bad


def items(source: Source, body: object) -> list[object] | None:
    """The elements that the source's `items` finds; None where it finds no list."""
    try:
        found = jmespath.search(source.items, body)
    except JMESPathError:
        return None
    return found if isinstance(found, list) else None


def read_item(source: Source, item: object) -> Item:
    try:
        if source.ignore_when is not None and _truth(source.ignore_when, item):
            return Ignored(f"the source {source.name} is told not to take this kind")
        external_id = _external_id(source, item)
        if source.resolved is not None and _truth(source.resolved, item):
            return Over(external_id)
        return _alert(source, item, external_id)
    except JMESPathError:
        return Bad(f"it does not have the shape that the source {source.name} describes")


def _alert(source: Source, item: object, external_id: str | None) -> Item:
    found = {name: jmespath.search(path, item) for name, path in source.fields.items()}
    texts = {name: _text(value) for name, value in found.items()}
    fields = {name: text[: LONGEST.get(name, len(text))] for name, text in texts.items() if text is not None}
    native: dict[str, object] = {
        "title": fields.get("title"),
        "trigger": source.triggers.get(fields.get("trigger", ""), fields.get("trigger")),
        "severity": _severity(source, fields.get("severity")),
        "subject": _subject(fields.get("subject_kind"), fields.get("subject_id")),
        "app": fields.get("app"),
        "session_id": _short(fields.get("session_id")),
        "external_id": external_id,
        "started_at": times.parse(found.get("started_at")),
        "summary": fields.get("summary"),
    }
    try:
        return Fires(AlertIn.model_validate({name: value for name, value in native.items() if value is not None}))
    except ValidationError as error:
        return Bad(explain.sentence(explain.problems(error, AlertIn)))


def _external_id(source: Source, item: object) -> str | None:
    """What makes a second delivery of the same alert the same: the values of `dedup`, in order. None where it has none."""
    parts = [_text(jmespath.search(path, item)) for path in source.dedup]
    return _short(":".join(part or "" for part in parts)) if any(parts) else None


def _truth(path: str, item: object) -> bool:
    return bool(jmespath.search(path, item))


def _text(value: object) -> str | None:
    """Scalars as text; anything else, and what is empty, is unknown."""
    if value is None or isinstance(value, list | dict):
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.strip() or None


def _short(value: str | None) -> str | None:
    """An id that is too long to store is named by its digest: still the same for the same."""
    if value is None or len(value) <= LONGEST_ID:
        return value
    return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"


def _severity(source: Source, word: str | None) -> Severity | None:
    """A word that the source does not list leaves the severity to the trigger."""
    words = {name.casefold(): severity for name, severity in source.severities.items()}
    return words.get(word.casefold()) if word else None


def _subject(kind: str | None, subject_id: str | None) -> dict[str, str | None] | None:
    if subject_id is None:
        return None
    known = kind if kind in set(SubjectKind) else SubjectKind.UNKNOWN
    return {"kind": known, "id": _short(subject_id)}
