"""What the spans of one request know of each other: a guardrail's span names no user, the model call beside it does.

Decides what is taken over from where: from the span's parent, else from its trace where that has one model call only.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bot.detection.event import Kind, UserKind
from bot.detection.sources.fields import LONGEST_APP, first, name
from bot.detection.sources.otlp_names import Names
from bot.detection.sources.otlp_told import Told
from bot.detection.sources.turns import MODEL, USER

TAKEN_OVER = ("user_id", "user_kind", "session_id", "tenant", "app", "endpoint", "model", "call_id")

NAMED = ("event.name", "event_name")
"""Attributes that held the event's name before log records had a field for it; LiteLLM 1.106 still writes the second."""


def found(told: Told, field_name: str, names: Names) -> object:
    """What an attribute of this field says: the span's own, else its resource's. None where there is none."""
    for attribute in names.fields[field_name]:
        for attributes in (told.attributes, told.resource):
            value = attributes.get(attribute)
            if value is not None and value != "":
                return value
    return None


def kind(told: Told, names: Names) -> Kind | None:
    """What the span is; None where it is no GenAI span."""
    for attribute, marked in names.marked.items():
        if attribute in told.attributes:
            return marked
    for attribute, kinds in names.kinds.items():
        known = kinds.get(str(told.attributes.get(attribute)))
        if known is not None:
            return known
    return None


def event_name(told: Told) -> str:
    """Of a log record."""
    return told.name or next((str(told.attributes[key]) for key in NAMED if key in told.attributes), "")


def who(told: Told, names: Names) -> dict[str, Any]:
    """Whose, where and which call: what an event of any kind says."""
    user, user_kind = _user(told, names)
    return {
        "user_id": user,
        "user_kind": user_kind,
        "session_id": name(found(told, "session_id", names)),
        "tenant": name(found(told, "tenant", names)),
        "app": name(found(told, "app", names), LONGEST_APP),
        "endpoint": name(found(told, "endpoint", names)),
        "model": name(found(told, "model", names)),
        "call_id": name(found(told, "call_id", names)),
    }


def _user(told: Told, names: Names) -> tuple[str | None, UserKind]:
    """The end user, else the key, else the address (reference: domain.md §4.1)."""
    for field_name, user_kind in USERS.items():
        if (known := first(found(told, field_name, names))) is not None:
            return known, user_kind
    return None, UserKind.UNKNOWN


def delivered(told: Told, names: Names) -> bool | None:
    known = truth(found(told, "delivered", names))
    if known is None and not told.failed and any(attribute in told.attributes for attribute in names.gateway):
        return True
    return known


def truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower())


def role_of(told: Told) -> str:
    """Whose words a log record carries; where it does not say so, the user's."""
    body = told.body if isinstance(told.body, dict) else told.attributes
    return str(body.get("role") or "user").lower()


USERS = {"user_id": UserKind.END_USER, "api_key": UserKind.API_KEY, "ip": UserKind.IP}


@dataclass(slots=True)
class Call:
    who: dict[str, Any]
    failed: bool
    delivered: bool | None


@dataclass(slots=True)
class Context:
    """Of one request."""

    spans: dict[tuple[str, str], Call] = field(default_factory=dict)
    """(trace, span) → a model call."""
    traces: dict[str, Call | None] = field(default_factory=dict)
    """Trace → its model call; None where it has several."""
    asked: dict[tuple[str, str], list[Told]] = field(default_factory=dict)
    """(trace, span) → log records with the user's words, since the last answer that he spoke after."""
    answered: set[tuple[str, str]] = field(default_factory=set)
    """(trace, span) → an answer came after those."""
    instants: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    """(trace, span, time) → log records of it."""

    def learn(self, told: Told, names: Names) -> bool:
        """False where it tells nothing about an AI system."""
        known = kind(told, names)
        if known is not Kind.LLM_CALL or not told.span:
            carries = names.events.get(event_name(told))
            self._follow(told, carries)
            return known is not None or carries is not None
        call = Call(who(told, names), told.failed, delivered(told, names))
        self.spans[told.trace, told.span] = call
        self.traces[told.trace] = None if told.trace in self.traces else call
        return True

    def _follow(self, told: Told, carries: str | None) -> None:
        """A conversation that comes as one log record for each message, in order: what was answered since was asked before."""
        if carries not in ("input", "answered") or not told.span:
            return
        at = (told.trace, told.span)
        if carries == "answered" or role_of(told) in MODEL:
            self.answered.add(at)
        elif role_of(told) in USER:
            since = self.asked.setdefault(at, [])
            if at in self.answered:
                self.answered.remove(at)
                for each in since:
                    each.resent = True
                since.clear()
            since.append(told)

    def nth(self, told: Told) -> int:
        """Which of the log records of its span and instant it is, from 0."""
        at = (told.trace, told.span, told.started)
        self.instants[at] += 1
        return self.instants[at] - 1

    def around(self, told: Told) -> Call | None:
        """The model call that a span or log record belongs to."""
        known = self.spans.get((told.trace, told.span)) or self.spans.get((told.trace, told.parent))
        return known or self.traces.get(told.trace)

    def who(self, told: Told, names: Names) -> dict[str, Any]:
        """What it says itself, completed by the call that it belongs to."""
        own, call = who(told, names), self.around(told)
        if call is None:
            return own
        if own["user_kind"] is not UserKind.END_USER and call.who["user_id"] is not None:
            own |= {"user_id": call.who["user_id"], "user_kind": call.who["user_kind"]}
        return own | {name: call.who[name] for name in TAKEN_OVER if own[name] is None}

    def delivered(self, told: Told, names: Names) -> bool | None:
        """Of what was judged: by the span itself, else by the call that it belongs to."""
        own, call = delivered(told, names), self.around(told)
        return call.delivered if own is None and call is not None else own
