"""When an event happened: which times are believed.

Decides how far from now a time may be, and what a sender is told of one that is further away. A time of a foreign source that
cannot be read is unknown, never guessed (design law 12).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bot.detection.event import Event

OLDEST: Final = 7 * 86400.0
"""Seconds. No window is longer than a day, and `tune` looks back a week."""
AHEAD: Final = 300.0
"""Seconds: clocks of senders differ. A time further ahead would push every window of its key forward."""
UNITS: Final = {1e3: "milliseconds", 1e6: "microseconds", 1e9: "nanoseconds"}


def believable(events: Sequence[Event], now: float) -> bool:
    """Whether the times of all of them are; one pass, for the usual case that they are."""
    oldest, newest = now - OLDEST, now + AHEAD
    for event in events:
        moment = event.occurred_at
        if not oldest <= (moment if type(moment) is float else _seconds(moment)) <= newest:
            return False
        if event.observed_at is not None and not oldest <= _seconds(event.observed_at) <= newest:
            return False
    return True


def problem(event: Event, now: float) -> str | None:
    """What is wrong with its times, in words; None where nothing is."""
    said = wrong(event.at, now)
    if said is not None:
        return f"`occurred_at` {said}"
    if event.observed_at is not None and (said := wrong(_seconds(event.observed_at), now)) is not None:
        return f"`observed_at` {said}"
    return None


def wrong(at: float, now: float) -> str | None:
    """The same of one time, in Unix seconds."""
    if now - OLDEST <= at <= now + AHEAD:
        return None
    for factor, unit in UNITS.items():
        if now - OLDEST <= at / factor <= now + AHEAD:
            return f"looks like {unit}; a number is Unix seconds, so divide it by {factor:.0f}"
    if at > now:
        return "is more than 5 minutes in the future; check the sender's clock and time zone"
    if at < now:
        return "is more than 7 days ago; only the last week is taken"
    return "is not a number; send RFC 3339 with an offset, or Unix seconds"


def read(value: object) -> float | None:
    """A foreign time in Unix seconds: a number or its digits, or ISO 8601 with a zone. None where it says none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if not isinstance(value, str):
        return None
    text = value.strip()[:64]
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        return moment.timestamp() if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _seconds(moment: datetime | float) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else moment
