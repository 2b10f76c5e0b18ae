"""Other people's times: nanoseconds, year one for "none", numbers, missing zones.

Decides what counts as known. A time that cannot be read is unknown, never guessed (design law 12).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Outside of these a time means "none" (Go writes 0001-01-01) or a broken clock."""
SHAPE = re.compile(
    r"^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\s?([Zz]|[+-]\d\d:?\d\d)$",
    re.ASCII,
)
MILLISECONDS_FROM = 1e11
"""Unix seconds reach this in the year 5138, so a larger number counts milliseconds."""


def parse(value: object) -> datetime | None:
    """RFC 3339 with up to nine decimals, or Unix seconds or milliseconds; None where it is none of them."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _number(float(value))
    return _text(value.strip()) if isinstance(value, str) else None


def plausible(moment: datetime) -> bool:
    return EARLIEST <= moment < LATEST


def _text(text: str) -> datetime | None:
    shape = SHAPE.match(text)
    if shape is None:
        return _number(float(text)) if text.isascii() and text.isdigit() and len(text) <= 16 else None
    day, clock, decimals, zone = shape.groups()
    micro = (decimals or "")[:6].ljust(6, "0")
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}.{micro}{'+00:00' if zone in 'Zz' else zone}")
    except ValueError:
        return None
    return moment.astimezone(UTC) if plausible(moment) else None


def _number(number: float) -> datetime | None:
    seconds = number / 1000 if number >= MILLISECONDS_FROM else number
    if not EARLIEST.timestamp() <= seconds < LATEST.timestamp():  # also False for infinity
        return None
    return datetime.fromtimestamp(seconds, UTC)
