"""Examples of a trigger: small stories of events, with what they show in words.

Decides the compact form (one entry can stand for many events) and the moments at which its events happen. Leaves whether a
story fires to the real scanner and engine (`check_examples`), so that there is one meaning of a rule and no second one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from bot.detection.event import Event
from bot.playbook.model import Model, Text

BEGIN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC).timestamp()
"""When every story begins: a Monday morning."""
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
NUMBER = re.compile(r"\{n(?:%([1-9]\d{0,3}))?\}")
MOST_EVENTS = 5000
"""Of one entry. Stories are told at every start: they have to stay short."""
Value = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80)]


def _seconds(value: object) -> object:
    if isinstance(value, str) and (match := re.fullmatch(r"(\d{1,7})([smhd])", value)):
        return int(match[1]) * UNITS[match[2]]
    raise ValueError("write it as `30s`, `59m`, `4h` or `14d`")


Span = Annotated[int, BeforeValidator(_seconds)]


class KnownCanary(Model):
    name: Name
    kind: Literal["credential", "system_prompt", "document", "tool", "unknown"]
    value: Value


class KnownOwner(Model):
    """An identifier and the user whose it is."""

    user_id: Name
    kind: Name
    value: Value


class Known(Model):
    """What was registered before the story begins."""

    canaries: tuple[KnownCanary, ...] = ()
    prompts: tuple[Value, ...] = ()
    """Texts of system prompts."""
    owners: tuple[KnownOwner, ...] = ()


class ExampleEvent(Model):
    """A native event, or `repeat` of them. Whatever else stands here is the event's own; `{n}` in a text
    counts from 1, `{n%3}` from 0 to 2 and again."""

    model_config = ConfigDict(frozen=True, extra="allow")

    repeat: int = Field(default=1, strict=True, ge=1, le=MOST_EVENTS)
    at: Span | None = None
    """Since the story's beginning; left out, a second after the event before."""
    over: Span | None = None
    """From the first of the repeated events to the last; left out, a second between each."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            known = {*cls.model_fields, *Event.__struct_fields__} - {"occurred_at", "observed_at"}
            unknown = [key for key in data if key not in known]
            if unknown:
                raise PydanticCustomError("unknown_keys", "unknown keys", {"keys": unknown, "known": sorted(known)})
            if "kind" not in data:
                raise ValueError("`kind` is missing: say which kind of event it is, for example `kind: llm_call`")
        return data

    @model_validator(mode="after")
    def _is_an_event(self) -> ExampleEvent:
        try:
            _event(self.model_extra or {}, BEGIN, 1)
        except msgspec.ValidationError as error:
            raise ValueError(f"not an event: {error}") from error
        return self


class Example(Model):
    says: Text
    events: tuple[ExampleEvent, ...] = Field(min_length=1, max_length=20)


class Examples(Model):
    knows: Known = Known()
    fires: tuple[Example, ...] = Field(min_length=1)
    quiet: tuple[Example, ...] = Field(min_length=1)


def told(example: Example) -> Iterator[Event]:
    """The events of the story as they happen one after the other, each with an id of its own unless one is given."""
    yield from sorted(_all(example), key=lambda event: event.at)


def _all(example: Example) -> Iterator[Event]:
    before = BEGIN - 1
    for place, entry in enumerate(example.events):
        start = before + 1 if entry.at is None else BEGIN + entry.at
        apart = 1.0 if entry.over is None else entry.over / max(entry.repeat - 1, 1)
        for n in range(1, entry.repeat + 1):
            before = start + (n - 1) * apart
            yield _event({"event_id": f"{place}-{n}", **(entry.model_extra or {})}, before, n)


def _event(said: dict[str, Any], at: float, n: int) -> Event:
    """Raises msgspec.ValidationError where it is no native event."""
    return msgspec.convert({**_numbered(said, n), "occurred_at": at}, Event)


def _numbered(value: Any, n: int) -> Any:
    match value:
        case str() if "{n" in value:
            return NUMBER.sub(lambda found: str(n % int(found[1]) if found[1] else n), value)
        case dict():
            return {name: _numbered(item, n) for name, item in value.items()}
        case list():
            return [_numbered(item, n) for item in value]
        case _:
            return value
