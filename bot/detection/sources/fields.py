"""Single values of foreign records: whatever type a sender gave them, as what an event holds, or unknown.

Decides how an id is made storable. A foreign id that is too long is named by its digest, not refused: who makes it so long must
not stay unseen, and it is still the same for the same.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import msgspec

from bot.detection.event import TEXT

LONGEST = 300
"""Characters of `bot.detection.event.Name`."""
LONGEST_APP = 120
Record = Mapping[str, Any]


def name(value: object, longest: int = LONGEST) -> str | None:
    """An id or a name; None where it is empty or no scalar."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = storable(str(value)).strip()
    if len(text) <= longest:
        return text or None
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def storable(text: str) -> str:
    return text.replace("\0", "\ufffd") if "\0" in text else text


def text(value: str) -> str | None:
    """A prompt or an answer. Of one that is longer than an event holds, the end: what was said last."""
    return storable(value[-TEXT:]) if value else None


def number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def whole(value: object) -> int | None:
    """A count; None where it is none that an event holds."""
    found = number(value)
    return int(found) if found is not None and 0 <= found <= 1 << 53 else None


def record(value: object) -> Record:
    """Empty where it is no object."""
    return value if isinstance(value, dict) else {}


def records(value: object) -> list[Record]:
    """A list of objects, one object, or neither."""
    listed = value if isinstance(value, list | tuple) else [value]
    return [each for each in listed if isinstance(each, dict)]


def first(*values: object) -> str | None:
    """The first that names something."""
    return next((found for value in values if (found := name(value)) is not None), None)


def digest(value: object) -> str | None:
    """SHA-256 of a text, or of the JSON of anything else: the same for the same, whatever the order of keys."""
    if value is None or value in ("", [], {}):
        return None
    raw = value.encode("utf-8", "replace") if isinstance(value, str) else msgspec.json.encode(value, order="sorted")
    return hashlib.sha256(raw).hexdigest()


def parsed(value: object) -> object:
    """JSON within a text, as OpenTelemetry carries it; the value itself where it is none."""
    if not isinstance(value, str) or value[:1] not in ("[", "{"):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return value
