"""What tests of connectors share: orders, and the part of a system that a proxy with faults can play for it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from bot.connectors.conformance import Fault
from bot.connectors.conformance.proxy import Proxy
from bot.connectors.contract import Order
from bot.incident.words import ActionKind, ScopeKind


def block(scope_id: str = "mallory", index: int = 3) -> Order:
    return order(ActionKind.BLOCK_USER, ScopeKind.USER, scope_id, index)


def order(kind: ActionKind, scope: ScopeKind, scope_id: str, index: int = 1) -> Order:
    return Order("INC-12", f"INC-12:{index}:{scope}/{scope_id}", kind, scope, scope_id)


class BehindProxy:
    """The half of `System` that is the same for everything that speaks HTTP."""

    def __init__(self, between: Proxy, secrets: tuple[str, ...]) -> None:
        self.between, self.secrets, self.faults = between, secrets, frozenset(Fault)

    async def carried_out(self, order: Order) -> int | None:
        return None

    async def meddle(self, order: Order) -> bool:
        return False

    def having(self, fault: Fault) -> AbstractAsyncContextManager[object]:
        return self.between.having(fault)

    def strayed(self) -> int:
        return self.between.strayed
