"""Containment by a person: where no connector is configured, somebody does it and attests to it in the room.

Decides the words of the request. Who may attest, and what is kept of it, is `bot.cases.attest`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bot.connectors.contract import MANUAL, ConnectorSettings, Effect, Nature, Order, Plan, Result
from bot.incident.columns import Json
from bot.incident.words import ActionKind, ScopeKind

DO: dict[ActionKind, str] = {
    ActionKind.BLOCK_USER: "Block",
    ActionKind.ENABLE_SAFE_MODE: "Allow only approved answers for",
    ActionKind.DISABLE_TOOLS: "Switch off tools for",
    ActionKind.RATE_LIMIT: "Limit to one request a minute",
    ActionKind.DISABLE_ENDPOINT: "Take out of service",
    ActionKind.ROTATE_CREDENTIALS: "Revoke and replace",
    ActionKind.FLUSH_MEMORY: "Quarantine the conversation memory of",
    ActionKind.RESTRICT_RAG: "Take out of retrieval",
}
CHECK: dict[ActionKind, str] = {
    ActionKind.BLOCK_USER: "a request as them is refused, and one as somebody else is answered",
    ActionKind.ENABLE_SAFE_MODE: "a request gets the approved answer, streamed as well",
    ActionKind.DISABLE_TOOLS: "a request that needs a tool is refused",
    ActionKind.RATE_LIMIT: "the second of two requests in a row is refused",
    ActionKind.DISABLE_ENDPOINT: "a request to it is refused, and others are answered",
    ActionKind.ROTATE_CREDENTIALS: "the old one is refused and the new one accepted",
    ActionKind.FLUSH_MEMORY: "their memory is empty, and that of others is unchanged",
    ActionKind.RESTRICT_RAG: "the query that found it no longer does",
}


def target(scope_kind: ScopeKind, scope_id: str) -> str:
    return "everyone" if scope_kind is ScopeKind.EVERYONE else f"{scope_kind.value.replace('_', ' ')} {scope_id}"


class Settings(ConnectorSettings):
    """A person does these actions, although another connector could."""

    kind: Literal["manual"]

    def connect(self, name: str, env: Mapping[str, str]) -> Manual:
        return Manual(name)


class Manual:
    """Answers ATTEST to everything that a person has to do or see."""

    nature = Nature.BY_HAND

    def __init__(self, name: str = MANUAL) -> None:
        self.name = name

    def can_revert(self, kind: ActionKind) -> bool:
        return True

    def effect_of(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> str:
        return f"A person does this by hand: {DO[kind]} {target(scope_kind, scope_id)}."

    async def plan(self, order: Order) -> Plan:
        return Plan(self.effect_of(order.kind, order.scope_kind, order.scope_id))

    async def snapshot(self, order: Order) -> Result:
        return Result(Effect.CAPTURED, "Whoever does it by hand keeps the earlier state.")

    async def apply(self, order: Order) -> Result:
        return Result(
            Effect.ATTEST,
            f"Do it now by hand: {DO[order.kind]} {target(order.scope_kind, order.scope_id)}. "
            f"Check that {CHECK[order.kind]}. Then attest what you saw.",
        )

    async def verify(self, order: Order) -> Result:
        return Result(Effect.ATTEST, f"Check that {CHECK[order.kind]}. Then attest what you saw.")

    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        return Result(
            Effect.ATTEST,
            f"Undo it now by hand for {target(order.scope_kind, order.scope_id)}. Then attest what you saw.",
        )

    async def verify_revert(self, order: Order) -> Result:
        return Result(Effect.ATTEST, "Check that it is no longer in force. Then attest what you saw.")

    async def health(self) -> Result:
        return Result(Effect.VERIFIED, "Nothing to reach: a person does it.")

    async def close(self) -> None:
        return None
