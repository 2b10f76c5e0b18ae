"""What a decoder hands on: events, and which parts of a body were not taken and why.

Decides the shape only. A decoder yields one `Decoded` for each slice of its work, so that whoever drives it can let others
have a turn in between; a slice is some milliseconds of work, however large the body.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from bot.detection.event import Event

SLICE = 256 * 1024
"""Bytes of a body that are decoded in one go: half a millisecond of typed JSON, some milliseconds of a scan of its text."""
EVENTS = 1000
"""Events in one slice."""


class Malformed(Exception):
    """The body as a whole cannot be read. The words are for whoever sends it."""


class Rejected(msgspec.Struct, frozen=True):
    index: int
    """Which event of the body, from 0."""
    error: str
    """What is wrong and what to do; never a value that was sent."""


class Decoded(msgspec.Struct, frozen=True):
    events: list[Event] = []  # a list of its own each time: msgspec copies an empty default
    rejected: list[Rejected] = []


Slices = Iterable[Decoded]
