"""What every use case is handed: the store, the playbook, the organisation, the connectors. Built once by `bot.app`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from bot.connectors import Connectors
from bot.evidence import Vault
from bot.incident.approval import OnRoster
from bot.incident.deadlines import BusinessCalendar
from bot.incident.document import Makers
from bot.playbook import Playbook
from bot.settings import Organisation
from bot.store import Store


class Membership(Protocol):
    """Who stands behind the roster's addresses and usergroups: only Slack knows."""

    async def roles_of(self, person: str, roles: Collection[str]) -> OnRoster:
        """Which of these roster roles this Slack user has. Never raises: what cannot be told is `unsure`, in words."""
        ...

    async def only_person(self, roles: Collection[str]) -> Mapping[str, str]:
        """By role the Slack user who alone stands behind it. Never raises: what cannot be told is left out."""
        ...


class Canaries(Protocol):
    """What is registered of an application, unsealed: the answer that holds one shows that an attack worked."""

    async def values(self, app: str | None) -> Sequence[tuple[str, str]]:
        """Name and value of each canary of this application, and of those that belong to none."""
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
    vault: Vault | None = None
    """None where a test hands none in: evidence waits in the store then, and what does not wait there cannot be read."""

    canaries: Canaries | None = None
    """None where no detection key is at hand: a replay is then told by what people add."""

    documents: Makers = field(default_factory=dict)
    """What can be written of an incident, by name (`bot.review.documents`)."""

    def minutes(self, count: float) -> timedelta:
        """A span of the playbook on this deployment's clock."""
        return timedelta(minutes=count / self.speed)
