"""What tests of the gate share: a rule as a connector wants it, and somebody who changes one by hand."""

from __future__ import annotations

from bot.gate.rules import StoredPolicy
from bot.incident.incident import Counter
from bot.incident.policy import VERSIONS, Rule, Wanted
from bot.incident.words import ActionKind, ScopeKind
from bot.store import Store


def wanted(
    scope_id: str = "mallory",
    *,
    incident: int = 12,
    index: int = 3,
    kind: ActionKind = ActionKind.BLOCK_USER,
    scope_kind: ScopeKind = ScopeKind.USER,
    per_minute: int = 1,
    text: str | None = None,
) -> Wanted:
    key = f"INC-{incident}:{index}:{scope_kind.value}/{scope_id}"
    return Wanted(
        key=key,
        incident=incident,
        kind=kind,
        scope_kind=scope_kind,
        scope_id=scope_id,
        per_minute=per_minute,
        text=text,
    )


async def put(store: Store, scope_id: str = "mallory", *, incident: int = 12, index: int = 3) -> Rule:
    return await StoredPolicy(store).put(wanted(scope_id, incident=incident, index=index))


async def change_by_hand(store: Store, key: str, *, incident: int | None = None, per_minute: int = 5) -> None:
    """As somebody does it who knows SQL, and knows that gates look at versions."""
    async with store.unit() as unit:
        counter = await unit.session.get(Counter, VERSIONS)
        rule = await unit.session.get(Rule, key)
        assert counter is not None and rule is not None
        counter.value += 1
        rule.version, rule.per_minute, rule.incident = counter.value, per_minute, incident or rule.incident
