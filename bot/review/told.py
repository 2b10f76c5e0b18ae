"""How a moment, a span and a person are written in a document. Pure.

Decides that the narrative names roles and not people (a review is blameless), unless names are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.incident.metrics import in_words
from bot.incident.timeline import Happened
from bot.review.record import Entry, Record

PERSON = re.compile(r"[UW][A-Z0-9]{2,20}")
MENTION = re.compile(r"<@([UW][A-Z0-9]{2,20})(?:\|[^>]*)?>")
SOMEBODY = "a responder"


def moment(at: datetime | None) -> str | None:
    """`2026-03-02 09:00:00`, in UTC; None where it is not known."""
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def span(start: datetime | None, end: datetime | None) -> str | None:
    """None where one of both is not known; what is out of order is said, and is no duration (design law 12)."""
    if start is None or end is None:
        return None
    return "unknown: the times are out of order" if end < start else in_words(end - start)


@dataclass(frozen=True)
class People:
    """Who had which role in the incident, at any time."""

    roles: Mapping[str, tuple[str, ...]]
    names: bool = False
    """Whether the narrative names people beside their roles."""
    known: frozenset[str] = field(default_factory=frozenset)

    def role(self, who: str | None) -> str | None:
        """For the narrative: `commander`; `a responder`; `Firsthour`; a source or connector by its name."""
        if not who:
            return None
        if not is_person(who):
            return "Firsthour" if who == "firsthour" else who
        held = " and ".join(self.roles.get(who, ())) or SOMEBODY
        return f"{held} ({who})" if self.names else held

    def named(self, who: str) -> str:
        """For the timeline: `U02BOB (commander)`."""
        held = self.roles.get(who)
        return f"{who} ({', '.join(held)})" if held else who

    def blameless(self, text: str | None) -> str | None:
        """What somebody wrote, with roles in place of the people it mentions."""
        if text is None or self.names:
            return text
        text = MENTION.sub(lambda found: self.role(found[1]) or SOMEBODY, text)
        return IDS.sub(lambda found: self._id(found[0]), text)

    def _id(self, word: str) -> str:
        return (self.role(word) or SOMEBODY) if word in self.known else word


IDS = re.compile(r"\b[UW][A-Z0-9]{2,20}\b")


def is_person(who: str) -> bool:
    """A user of Slack, an address, or somebody at the command line (`cli:root`)."""
    return PERSON.fullmatch(who) is not None or "@" in who or who.startswith("cli:")


def people(record: Record, *, names: bool = False) -> People:
    roles: dict[str, list[str]] = {}
    for entry in record.of(Happened.ROLE_TAKEN):
        _hold(roles, str(entry.data.get("person") or entry.actor), str(entry.data.get("role", "")))
    for held in record.roles:
        _hold(roles, held.person, held.role.value)
    known = frozenset(who for who in _named(record.entries) if is_person(who)) | roles.keys()
    return People({who: tuple(held) for who, held in roles.items()}, names, known)


def _named(entries: Iterable[Entry]) -> Iterable[str]:
    for entry in entries:
        yield entry.actor
        yield from (str(entry.data[key]) for key in ("person", "owner") if entry.data.get(key))


def _hold(roles: dict[str, list[str]], person: str, role: str) -> None:
    held, words = roles.setdefault(person, []), role.replace("_", " ")
    if words and words not in held:
        held.append(words)
