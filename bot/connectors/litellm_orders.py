"""The actions in LiteLLM's words: what each asks of its admin API, and how its record shows that it is in force.

Decides nothing of what is believed: that is `litellm_admin`'s.
"""

from __future__ import annotations

import re

from bot.connectors.contract import Effect, Order, Result
from bot.connectors.http import Answered, Exchange, silence
from bot.connectors.litellm_api import Record
from bot.incident.words import ActionKind, ScopeKind

SCOPES = {
    ActionKind.BLOCK_USER: ScopeKind.API_KEY,
    ActionKind.RATE_LIMIT: ScopeKind.API_KEY,
    ActionKind.DISABLE_ENDPOINT: ScopeKind.ENDPOINT,
}
"""What LiteLLM can single out. Its end users (`/customer/block`) it cannot: that answers 200 and blocks nobody."""
HASH = re.compile(r"[0-9a-f]{64}")
"""How LiteLLM names a key in its events. The key itself is a secret, and is never an id."""
PER_MINUTE = 1


def told(order: Order, *, on: bool, before: Record | None = None) -> tuple[str, dict[str, object]]:
    match order.kind:
        case ActionKind.RATE_LIMIT:
            limit = before.rpm_limit if before else PER_MINUTE
            return "/key/update", {"key": order.scope_id, "rpm_limit": limit}
        case ActionKind.DISABLE_ENDPOINT:
            return f"/model/{'block' if on else 'unblock'}", {"model_id": order.scope_id}
        case _:
            return f"/key/{'block' if on else 'unblock'}", {"key": order.scope_id}


def in_force(order: Order, record: Record) -> bool:
    """A limit that is stricter than ours is in force as well, and is never loosened."""
    if order.kind is ActionKind.RATE_LIMIT:
        return record.rpm_limit is not None and record.rpm_limit <= PER_MINUTE
    return record.blocked is True


def as_before(order: Order, record: Record, before: Record) -> bool:
    if order.kind is ActionKind.RATE_LIMIT:
        return record.rpm_limit == before.rpm_limit
    return record.blocked is not True


def words(order: Order, record: Record) -> str:
    if order.kind is ActionKind.RATE_LIMIT:
        return "no limit" if record.rpm_limit is None else f"at most {record.rpm_limit} a minute"
    return "blocked" if record.blocked else "not blocked"


def unread(name: str, order: Order, answer: Exchange) -> Result:
    what = order.scope_kind.value.replace("_", " ")
    if isinstance(answer, Answered) and answer.status in {200, 400, 404}:
        return Result(Effect.FAILED, f"{name} knows no {what} of that id. Nothing was changed.")
    return Result(Effect.FAILED, f"{silence(name, answer).detail} Nothing was changed.")
