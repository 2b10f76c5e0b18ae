"""What an action is as a rule of the gate: in words for the panel, as a row for the policy, and what no gate can enforce.

Decides only that. Putting and believing it is `bot.connectors.gate`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.connectors.contract import Order
from bot.connectors.gate_behaviour import FIELD, target
from bot.incident.policy import MEASURES, GateReplica, Rule, Wanted
from bot.incident.redact import UNSTORABLE
from bot.incident.words import ActionKind, ScopeKind

A = ActionKind
LONGEST = 300
"""Characters of an id that a rule can hold (`Rule.scope_id`)."""
DOES = {
    A.BLOCK_USER: "refuses every call of {on}",
    A.RATE_LIMIT: "lets {on} make {limit} a minute",
    A.ENABLE_SAFE_MODE: "gives only the approved answer to {on}, and the model does not see what is asked",
    A.DISABLE_TOOLS: "refuses calls with tools, and answers that call a tool, for {on}",
    A.DISABLE_ENDPOINT: "takes out of service: {on}",
    A.RESTRICT_RAG: "keeps out of retrieval: {on}",
}


class Policy(Protocol):
    """The rules that gates follow. Every method raises Busy where the store does not answer."""

    async def put(self, wanted: Wanted) -> Rule:
        """Once per key: a key that was put before is left as it is, removed ones too."""
        ...

    async def remove(self, key: str) -> Rule | None:
        """The row afterwards: still in force where somebody changed it since. None for a key that was never put."""
        ...

    async def get(self, key: str) -> Rule | None: ...

    async def holding(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> Sequence[Rule]:
        """In force on this target, or for everyone; oldest first."""
        ...

    async def gates(self) -> Sequence[GateReplica]:
        """Those that were seen just now."""
        ...


@dataclass(frozen=True)
class Terms:
    """What the organisation has settled for every rule."""

    answer: str
    """Safe mode's approved answer."""
    per_minute: int = 1
    """Calls that a rate limit lets through."""

    def rule(self, order: Order) -> Wanted:
        return Wanted(
            key=order.key, incident=int(order.incident.removeprefix("INC-")), kind=order.kind,
            scope_kind=order.scope_kind, scope_id=order.scope_id, per_minute=self.per_minute,
            text=self.answer if order.kind is A.ENABLE_SAFE_MODE else None,
        )  # fmt: skip

    def sentence(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> str:
        """What the gate would do and on whom, for the panel."""
        order = Order("", "", kind, scope_kind, scope_id)
        if (why := beyond(order)) is not None:
            return f"The gate cannot do this for {target(order)}: {why}"
        limit = "1 call" if self.per_minute == 1 else f"{self.per_minute} calls"
        return f"The gate {DOES[kind].format(on=target(order), limit=limit)}. It can be undone at once."


def beyond(order: Order) -> str | None:
    """Why no gate can enforce this, in words; None where it can."""
    if order.kind not in MEASURES:
        return "it lies in another system."
    document = order.scope_kind is ScopeKind.DOCUMENT and order.kind is A.RESTRICT_RAG
    if order.scope_kind not in FIELD and order.scope_kind is not ScopeKind.EVERYONE and not document:
        return f"a call does not show it which {order.scope_kind.value} it is about."
    if len(order.scope_id) > LONGEST or UNSTORABLE.search(order.scope_id):
        return f"the id is longer than {LONGEST} characters, or holds some that cannot be stored."
    return None


def held_by(rules: Iterable[Rule]) -> str:
    """`INC-12 and INC-13 hold the same.`"""
    names = [f"INC-{number}" for number in sorted({rule.incident for rule in rules})]
    return f"{' and '.join(names)} {'holds' if len(names) == 1 else 'hold'} the same."
