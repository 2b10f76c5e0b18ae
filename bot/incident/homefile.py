"""Everything that one person's Home tab shows, read in one go. Frozen.

Decides nothing. What a person may see was decided by whoever read it (`bot.store.home_file`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.incident.incident import Incident
from bot.incident.learning import ActionItem, Risk
from bot.incident.work import Action


@dataclass(frozen=True)
class HomeFile:
    person: str
    now: datetime
    inside: Sequence[Incident] = ()
    """Running incidents whose room they are in, or in which they hold a role: with title and room."""
    outside: Sequence[Incident] = ()
    """The other running ones: the public line only."""
    running: int = 0
    """How many run in all."""
    waiting: Sequence[tuple[Incident, Action]] = ()
    """Proposed containment about which they may decide."""
    items: Sequence[ActionItem] = ()
    """Theirs that are pending, the longest overdue first: the first of `item_count`."""
    item_count: int = 0
    overdue: int = 0
    """Of theirs."""
    overdue_all: int = 0
    """Of everybody's."""
    risks: Sequence[Risk] = ()
    """Theirs that are to be looked at again."""
