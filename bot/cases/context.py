"""What every use case is handed: the store, the playbook, the organisation, the connectors. Built once by `bot.app`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.connectors import Connectors
from bot.incident.deadlines import BusinessCalendar
from bot.playbook import Playbook
from bot.settings import Organisation
from bot.store import Store


@dataclass(frozen=True)
class Context:
    store: Store
    playbook: Playbook
    org: Organisation
    connectors: Connectors
    calendar: BusinessCalendar
    speed: float = 1.0
    """How much faster than the wall the first hour runs (`firsthour demo --fast`)."""

    def minutes(self, count: float) -> timedelta:
        """A span of the playbook on this deployment's clock."""
        return timedelta(minutes=count / self.speed)
