"""What every tracker promises: open one issue for a ticket, and find the one that was opened already.

Decides what is handed over and which ways it can fail. A ticket carries an action item's own text, type, date and the number
of its incident; nothing of the incident's content ever leaves through here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True)
class Ticket:
    """One action item, as a tracker gets it."""

    marker: str
    """By which the issue is found again: lower-case letters, digits and hyphens, the same for the same item only."""
    title: str
    """At most 200 characters, on one line."""
    text: str
    kind: str
    due: datetime | None
    incident: str
    """`INC-12`"""
    asked_at: datetime
    """Nothing was opened for it before."""


@dataclass(frozen=True)
class Link:
    """Where it is tracked: made here from the tracker's own address, never taken from an answer."""

    url: str


class TrackerError(Exception):
    """`str(error)` is a sentence for the room, without a body, a token or an address."""


class Refused(TrackerError):
    """Certainly not opened, and trying again would not help."""


class Unreachable(TrackerError):
    """Certainly not opened; it may work later. `after`: where the tracker named a time."""

    def __init__(self, why: str, after: timedelta | None = None) -> None:
        super().__init__(why)
        self.after = after


class Doubtful(TrackerError):
    """It may have been opened: look with `find` before it is tried again."""


class Tracker(Protocol):
    name: str
    """`GitHub` or `Jira`: for people."""

    async def open(self, ticket: Ticket) -> Link:
        """Open an issue. Raises Refused, Unreachable or Doubtful."""
        ...

    async def find(self, ticket: Ticket) -> Link | None:
        """The issue that carries the ticket's marker. Raises Refused or Unreachable: looking changes nothing."""
        ...

    async def close(self) -> None: ...
