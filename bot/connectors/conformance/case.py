"""What a check needs: a connector, two orders, and the system behind it, seen past the connector.

Decides what a tester provides. The promises that are checked with it are `calm`'s and `under_faults`'.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.connectors.conformance.watched import Watched
from bot.connectors.contract import Connector, Order


class Fault(StrEnum):
    DOWN = "down"
    """Nothing listens."""
    SLOW = "slow"
    """It does what it is told and answers nothing for as long as anybody waits."""
    ERROR_AFTER_DOING = "error_after_doing"
    """Orders are carried out and answered with a failure. Looking works."""
    YES_WITHOUT_DOING = "yes_without_doing"
    """Orders are answered with success and not carried out. Looking works."""
    REDIRECT = "redirect"
    """Whatever is asked, the answer sends the caller to another host."""
    REFUSED = "refused"
    """Whatever is asked, the credentials are not accepted."""


class System(Protocol):
    """The real system, reached without the connector."""

    secrets: tuple[str, ...]
    """Everything that must never be in a word of the connector: its credentials, and what it puts aside."""
    faults: frozenset[Fault]
    """Those that this system can be made to have."""

    async def behaves_blocked(self, order: Order) -> bool:
        """Whether the action is in force, seen as the order's subject sees it."""
        ...

    async def state(self) -> object:
        """All that the connector could change, comparable with `==`. What counts or logs only is not part of it."""
        ...

    async def carried_out(self, order: Order) -> int | None:
        """How often the order's key was carried out; None where the system does not count."""
        ...

    async def meddle(self, order: Order) -> bool:
        """Somebody else changes what the applied order set. False where there is nothing that they could change."""
        ...

    def having(self, fault: Fault) -> AbstractAsyncContextManager[object]:
        """The system has the fault inside the context, and none after it."""
        ...

    def strayed(self) -> int:
        """How many requests have arrived at the host that REDIRECT points to."""
        ...


@dataclass(frozen=True)
class Case:
    """A fresh system with nothing in force on either subject, and the connector to it."""

    connector: Connector
    order: Order
    """On a subject that exists. Its `verify` can settle it without a person."""
    other: Order
    """The same action on another subject that exists, with another key."""
    system: System
    patience: float = 10.0
    """Seconds in which every call ends, whatever the system does. See `timeout_for` for the connector's own time-out."""

    def watched(self) -> Watched:
        return Watched(self.connector, self.system.secrets, self.patience)


Promise = Callable[[Case], Awaitable[None]]
