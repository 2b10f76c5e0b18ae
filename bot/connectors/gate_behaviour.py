"""How a gate behaves towards the subject of an action, and towards somebody else.

Decides what is asked, and what an answer shows. What follows from it is `bot.connectors.gate`'s.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import uuid4

from bot.connectors.contract import Order
from bot.connectors.gate_probe import Asking, Said, Unanswered
from bot.incident.words import ActionKind, ScopeKind

A = ActionKind
FIELD = {
    ScopeKind.USER: "user",
    ScopeKind.SESSION: "session",
    ScopeKind.API_KEY: "api_key",
    ScopeKind.IP: "ip",
    ScopeKind.APPLICATION: "application",
    ScopeKind.ENDPOINT: "endpoint",
}
"""What a gate can know of a caller, by its name in a question."""
STRICTER: dict[ActionKind, frozenset[str]] = {
    A.DISABLE_ENDPOINT: frozenset({"refused"}),
    A.DISABLE_TOOLS: frozenset({"refused", "off"}),
    A.RATE_LIMIT: frozenset({"refused", "off"}),
    A.ENABLE_SAFE_MODE: frozenset({"refused", "off"}),
    A.RESTRICT_RAG: frozenset({"refused", "off"}),
}
"""Outcomes of other measures behind which this one cannot be seen. They keep more away than it would."""


@dataclass(frozen=True)
class Seen:
    words: str
    held: bool | None = None
    """The measure shows. None where the gate did not say."""
    covered: bool = False
    """A stricter one stands before it."""
    strangers: bool = False
    """Somebody else meets the same."""
    incident: str | None = None
    """To whom the gate attributes what it did to the subject."""


async def look(asking: Asking, order: Order, *, per_minute: int, texts: Collection[str | None], everyone: bool) -> Seen:
    """Ask as the subject and as somebody else. `everyone`: another rule touches everyone, so nobody else is asked.

    A rate limit is asked once more often than it lets through, or until it refuses.
    """
    said = await asking.decide(question(order))
    for _ in range(per_minute if order.kind is A.RATE_LIMIT else 0):
        if isinstance(said, Unanswered) or not said.allow:
            break
        said = await asking.decide(question(order))
    if isinstance(said, Unanswered):
        return Seen(words=said.why)
    if said.outcome == "unknown":
        return Seen(words="it does not know its rules at the moment")
    held, covered = shows(order, said, texts), said.outcome in STRICTER.get(order.kind, ())
    words = f"Asked as {target(order)}, the gate says “{_outcome(order, said)}”"
    if everyone or order.scope_kind is ScopeKind.EVERYONE:
        return Seen(words, held, covered, strangers=False, incident=said.incident)
    other = replace(order, scope_id=_stranger())
    to_other = await asking.decide(question(other))
    if isinstance(to_other, Unanswered):
        return Seen(words=to_other.why)
    words = f"{words}; as somebody else, “{_outcome(other, to_other)}”"
    return Seen(words, held, covered, strangers=shows(other, to_other, texts), incident=said.incident)


def question(order: Order) -> dict[str, object]:
    """The order's subject calls; whatever else a caller has belongs to a stranger."""
    asked: dict[str, object] = {"user": _stranger()}
    if order.kind is A.RATE_LIMIT and order.scope_kind.system_wide:
        asked["user"] = f"firsthour-probe-of-{order.incident}"  # each subject has a count of its own
    if order.scope_kind in FIELD:
        asked[FIELD[order.scope_kind]] = order.scope_id
    if order.kind is A.RESTRICT_RAG:
        asked["documents"] = [order.scope_id if order.scope_kind is ScopeKind.DOCUMENT else _stranger()]
    if order.kind is A.DISABLE_TOOLS:
        asked["tools"] = True
    if order.kind in {A.ENABLE_SAFE_MODE, A.RESTRICT_RAG}:
        asked["stage"] = "response"  # where no rate limit stands before it
    return asked


def shows(order: Order, said: Said, texts: Collection[str | None]) -> bool:
    """Whether this is what the measure does. `texts`: the approved answers of the rules on this target."""
    match order.kind:
        case A.BLOCK_USER:
            return said.outcome == "refused"
        case A.DISABLE_ENDPOINT:
            return said.outcome == "off"
        case A.RATE_LIMIT:
            return said.outcome == "limited"
        case A.DISABLE_TOOLS:
            return said.outcome == "tools_refused"
        case A.ENABLE_SAFE_MODE:
            return said.answer is not None and said.answer in texts
        case A.RESTRICT_RAG if order.scope_kind is ScopeKind.DOCUMENT:
            return order.scope_id in said.withheld
        case A.RESTRICT_RAG:
            return not said.retrieval
        case _:
            return False


def target(order: Order) -> str:
    everyone = order.scope_kind is ScopeKind.EVERYONE
    return "everyone" if everyone else f"{order.scope_kind.value.replace('_', ' ')} {order.scope_id}"


def _outcome(order: Order, said: Said) -> str:
    if not said.allow:
        return said.outcome.replace("_", " ")[:40]
    if order.kind is A.ENABLE_SAFE_MODE:
        return "the model's answer" if said.answer is None else f"an approved answer ({said.incident})"
    if order.kind is A.RESTRICT_RAG:
        return "not retrieved" if said.withheld or not said.retrieval else "retrieved"
    return "allowed"


def _stranger() -> str:
    return f"firsthour-probe-{uuid4().hex[:12]}"
