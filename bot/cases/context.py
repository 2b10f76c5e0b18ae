"""What every use case is handed: the store, the playbook, the organisation, the connectors. Built once by `bot.app`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bot.connectors import Connectors
from bot.incident.approval import OnRoster
from bot.incident.deadlines import BusinessCalendar
from bot.playbook import Playbook
from bot.settings import Organisation
from bot.store import Store


class Membership(Protocol):
    """Who stands behind the roster's addresses and usergroups: only Slack knows."""

    async def roles_of(self, person: str, roles: Collection[str]) -> OnRoster:
        """Which of these roster roles this Slack user has. Never raises: what cannot be told is `unsure`, in words."""
        ...


@dataclass(frozen=True)
class Context:
    store: Store
    playbook: Playbook
    org: Organisation
    connectors: Connectors
    calendar: BusinessCalendar
    speed: float = 1.0
    """How much faster than the wall the first hour runs (`firsthour demo --fast`)."""
    membership: Membership | None = None
    """None where no Slack is at hand: the roster's user ids alone count then."""

    def minutes(self, count: float) -> timedelta:
        """A span of the playbook on this deployment's clock."""
        return timedelta(minutes=count / self.speed)
