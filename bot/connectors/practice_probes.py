"""How the practice AI app is asked whether an action is in force: as the contained subject, and as somebody else.

Decides one probe for each of the eight actions, by what the app does for its users. What follows from it is `practice`'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum

from bot.connectors.contract import Order
from bot.connectors.practice_users import NOBODY, Asker, documents, memories, somebody_else, subject
from bot.incident.words import ActionKind, ScopeKind

PLAIN = "Hello, this is a check."
RECALL = "What did I say before?"
"""Answered from memory, so never like PLAIN, unless every answer is the same approved one."""
TOOL = "lookup_customer 1001"


class Seen(StrEnum):
    HELD = "held"
    """It behaves as contained, and others are served."""
    OPEN = "open"
    """It behaves as if nothing had been done."""
    HIDDEN = "hidden"
    """Something else refuses everything, so that this action cannot be seen by itself."""
    TOO_MUCH = "too_much"
    """Others are refused as well."""
    UNSEEN = "unseen"
    """Nothing in the app's behaviour shows it: a person has to look."""
    SILENT = "silent"
    """The app did not answer."""


async def refused(asker: Asker, order: Order, status: int, times: int = 1) -> Seen:
    """The subject is refused with this status within so many questions, and somebody else is not."""
    who = subject(order)
    if who is None:
        return Seen.UNSEEN
    replies = [await asker.chat(who, PLAIN) for _ in range(times)]
    statuses = [reply.status if reply else None for reply in replies]
    if None in statuses:
        return Seen.SILENT
    if status not in statuses:
        return Seen.OPEN if set(statuses) == {200} else Seen.HIDDEN
    if (other := somebody_else(order)) is None:
        return Seen.HELD
    replies = [await asker.chat(other, PLAIN) for _ in range(times)]
    if None in replies:
        return Seen.SILENT
    return Seen.TOO_MUCH if any(reply and reply.status == status for reply in replies) else Seen.HELD


async def blocked(asker: Asker, order: Order) -> Seen:
    return await refused(asker, order, 403)


async def limited(asker: Asker, order: Order) -> Seen:
    return await refused(asker, order, 429, times=2)


async def out_of_service(asker: Asker, order: Order) -> Seen:
    seen = await refused(asker, order, 503)
    if seen is not Seen.HELD:
        return seen
    beside = await asker.call("POST", "/credentials/check", {"credential": NOBODY})
    if beside is None:
        return Seen.SILENT
    return Seen.HELD if beside[0] == 200 else Seen.TOO_MUCH


async def same_answer(asker: Asker, order: Order) -> Seen:
    """Safe mode: two questions that are never answered alike get the same answer."""
    who = subject(order)
    if who is None:
        return Seen.UNSEEN
    first, second = await asker.chat(who, PLAIN), await asker.chat(who, RECALL)
    if first is None or second is None:
        return Seen.SILENT
    if {first.status, second.status} != {200}:
        return Seen.HIDDEN
    return Seen.HELD if first.text == second.text else Seen.OPEN


async def without_tools(asker: Asker, order: Order) -> Seen:
    """A harmless tool is not called for the subject, and still is for somebody else."""
    who = subject(order)
    if who is None:
        return Seen.UNSEEN
    reply, other = await asker.chat(who, TOOL), somebody_else(order)
    if reply is None:
        return Seen.SILENT
    if reply.status != 200:
        return Seen.HIDDEN
    if reply.tools:
        return Seen.OPEN
    if other is None:
        return Seen.HELD
    beside = await asker.chat(other, TOOL)
    if beside is None:
        return Seen.SILENT
    return Seen.HELD if beside.tools else Seen.TOO_MUCH


async def rotated(asker: Asker, order: Order) -> Seen:
    """The old credential is refused."""
    if asker.users.credential is None:
        return Seen.UNSEEN
    answer = await asker.call("POST", "/credentials/check", {"credential": asker.users.credential.get_secret_value()})
    if answer is None or answer[0] != 200:
        return Seen.SILENT
    return Seen.OPEN if answer[1].get("valid") is not False else Seen.HELD


async def forgotten(asker: Asker, order: Order) -> Seen:
    """Nothing is remembered of the user. Of a session or an application the app does not say."""
    remembered = await memories(asker, order)
    if remembered is None:
        return Seen.UNSEEN if order.scope_kind is not ScopeKind.USER else Seen.SILENT
    return Seen.OPEN if remembered else Seen.HELD


async def not_found(asker: Asker, order: Order) -> Seen:
    """The document is not found any more and others are; or nothing is, where retrieval is off."""
    found = await documents(asker)
    if found is None:
        return Seen.SILENT
    if order.scope_kind is ScopeKind.DOCUMENT:
        return Seen.OPEN if order.scope_id in found else Seen.HELD
    return Seen.OPEN if found else Seen.HELD


PROBES: dict[ActionKind, Callable[[Asker, Order], Awaitable[Seen]]] = {
    ActionKind.BLOCK_USER: blocked,
    ActionKind.RATE_LIMIT: limited,
    ActionKind.ENABLE_SAFE_MODE: same_answer,
    ActionKind.DISABLE_TOOLS: without_tools,
    ActionKind.DISABLE_ENDPOINT: out_of_service,
    ActionKind.ROTATE_CREDENTIALS: rotated,
    ActionKind.FLUSH_MEMORY: forgotten,
    ActionKind.RESTRICT_RAG: not_found,
}
