"""Why an event was not taken, from msgspec's complaint to words for its sender. Never echoes a value: it may be the secret.

Decides the words. What an event must be is `bot.detection.event`'s.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from bot.detection.event import Data, Event, Kind, Outcome, Signal, Stage, Tool, UserKind, Verdict

PATH = re.compile(r" - at `\$(.*)`$", re.DOTALL)
PLAIN = re.compile(r"^[A-Za-z0-9_.-]{1,60}$")
"""A key that is shown back. Any other is the sender's text, not a name."""
PARTS: Final[Mapping[str, type[msgspec.Struct]]] = {
    "": Event, "verdicts": Verdict, "tool": Tool, "data": Data, "signals": Signal,
}  # fmt: skip
ENUMS: Final[Mapping[str, type[StrEnum]]] = {"kind": Kind, "user_kind": UserKind, "stage": Stage, "outcome": Outcome}
TIME: Final = "is not a time; write it as 2026-11-21T19:43:01Z, or as Unix seconds"
KINDS: Final = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false",
                "object": "a JSON object", "array": "a JSON array"}  # fmt: skip
NO_NUMBER: Final = "the event is not JSON: NaN and Infinity are not numbers; leave the field out"


def unreadable(raw: bytes, error: Exception) -> str:
    """In words, for one event. `error`: what msgspec raised when it decoded `raw`."""
    if isinstance(error, msgspec.ValidationError):
        return _wrong(str(error))
    if isinstance(error, UnicodeDecodeError):
        return "the event holds text that is not UTF-8; send UTF-8"
    if isinstance(error, RecursionError):
        return "the event is nested too deeply; send it flat"
    if b"NaN" in raw or b"Infinity" in raw:
        return NO_NUMBER
    if b"\\ud" in raw.lower():
        return "the event holds half of a Unicode surrogate pair, or is not JSON; replace the broken characters"
    return "the event is not JSON; send one JSON object for each event"


def _wrong(message: str) -> str:
    found = PATH.search(message)
    path = re.sub(r"\[\d*\]", "", found.group(1)).strip(".") if found else ""
    what = message[: found.start()] if found else message
    if "unknown field" in what:
        return _unknown(what.split("`")[1], path)
    if "missing required field" in what:
        field = what.split("`")[1]
        return f"`{f'{path}.{field}' if path else field}` is missing; add it"
    last = path.rpartition(".")[2]
    if last in ("occurred_at", "observed_at"):
        zone = "timezone component" in what
        return f"`{path}` {'has no time zone; write it as 2026-11-21T19:43:01Z' if zone else TIME}"
    if what.startswith("Invalid enum") and last in ENUMS:
        return f"`{path}` is not known; use {', '.join(ENUMS[last])}"
    return f"`{path}` {_expected(what)}" if path else f"the event {_expected(what)}"


def _expected(what: str) -> str:
    if (most := re.search(r"`array` of length <= (\d+)", what)) is not None:
        return f"holds more than {most.group(1)} entries; leave out those that say nothing new"
    if (length := re.search(r"of length <= (\d+)", what)) is not None:
        return f"is longer than {length.group(1)} characters; shorten it"
    if (kind := re.match(r"Expected `(\w+)", what)) is not None and kind.group(1) in KINDS:
        return f"must be {KINDS[kind.group(1)]}"
    return "is out of range" if "out of range" in what else "cannot be read; see docs/events.md for what it must be"


def _unknown(key: str, path: str) -> str:
    if not PLAIN.match(key):
        return f"the event holds a field that is not known{f' in `{path}`' if path else ''}; remove it"
    within = PARTS.get(path)
    near = difflib.get_close_matches(key, within.__struct_fields__, n=1) if within else []
    shown = f"{path}.{key}" if path else key
    return f"`{shown}` is not a field; {f'did you mean `{near[0]}`?' if near else 'remove it'}"
