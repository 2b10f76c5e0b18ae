"""The practice AI app as its users reach it: chat, memory, documents, as anybody one wants to be.

Decides who the contained subject is and who somebody else is. What an answer proves is `practice_probes`'s.
Every call carries `x-firsthour-probe: 1`, so that it never alerts and is never counted as traffic.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from bot.connectors.contract import Order
from bot.connectors.http import Answered, exchange
from bot.incident.words import ScopeKind

NOBODY = "firsthour-probe"
OTHER_IPS = ("192.0.2.77", "192.0.2.78")
"""Reserved for documentation: nobody's real address."""


@dataclass(frozen=True)
class Who:
    user: str = NOBODY
    session: str = NOBODY
    ip: str | None = None


@dataclass(frozen=True)
class Reply:
    status: int
    text: str
    tools: bool
    """True where the answer says that a tool was called."""


@dataclass(frozen=True)
class Users:
    """How users reach the app. `credential` is the one that a rotation replaces."""

    root: str
    token: SecretStr
    credential: SecretStr | None = None


class Asker:
    """The app as its users see it."""

    def __init__(self, http: httpx.AsyncClient, users: Users, seconds: float) -> None:
        self.http, self.users, self.seconds = http, users, seconds

    async def call(
        self, method: str, path: str, body: Mapping[str, object] | None = None, ip: str | None = None
    ) -> tuple[int, dict[str, object]] | None:
        """Status and parsed body; None where no answer came."""
        headers = {
            "Authorization": f"Bearer {self.users.token.get_secret_value()}",
            "Content-Type": "application/json",
            "x-firsthour-probe": "1",
        }
        if ip is not None:
            headers["X-Forwarded-For"] = ip
        content = json.dumps(body).encode() if body is not None else None
        answer = await exchange(
            self.http, method, f"{self.users.root}{path}", seconds=self.seconds, headers=headers, content=content
        )
        if not isinstance(answer, Answered) or answer.status == 401:
            return None
        parsed = answer.json
        return answer.status, parsed if isinstance(parsed, dict) else {}

    async def chat(self, who: Who, message: str) -> Reply | None:
        said = {"message": message, "user": who.user, "session": who.session}
        answer = await self.call("POST", "/api/v1/chat", said, who.ip)
        if answer is None:
            return None
        status, body = answer
        return Reply(status, str(body.get("response")), bool(body.get("tools")))


def subject(order: Order) -> Who | None:
    """The contained subject; None where nobody can ask as it."""
    match order.scope_kind:
        case ScopeKind.USER:
            return Who(user=order.scope_id, session=f"session-{order.scope_id}")
        case ScopeKind.SESSION:
            return Who(session=order.scope_id)
        case ScopeKind.IP:
            return Who(ip=order.scope_id) if _is_address(order.scope_id) else None
        case ScopeKind.API_KEY | ScopeKind.ENDPOINT | ScopeKind.APPLICATION | ScopeKind.EVERYONE:
            return Who()
        case _:
            return None


def somebody_else(order: Order) -> Who | None:
    """Who must still be served; None where the action touches everybody who could be asked as."""
    match order.scope_kind:
        case ScopeKind.USER | ScopeKind.SESSION:
            return Who(user=f"{NOBODY}-other", session=f"{NOBODY}-other")
        case ScopeKind.IP:
            return Who(ip=next(ip for ip in OTHER_IPS if ip != order.scope_id))
        case _:
            return None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


async def memories(asker: Asker, order: Order) -> list[str] | None:
    if order.scope_kind is not ScopeKind.USER:
        return None
    answer = await asker.call("GET", f"/memory?user={quote(order.scope_id, safe='')}")
    kept = answer[1].get("memory") if answer and answer[0] == 200 else None
    return [str(text) for text in kept] if isinstance(kept, list) else None


async def documents(asker: Asker) -> dict[str, str] | None:
    answer = await asker.call("GET", "/documents")
    found = answer[1].get("documents") if answer and answer[0] == 200 else None
    if not isinstance(found, list):
        return None
    return {str(one.get("id")): str(one.get("text")) for one in found if isinstance(one, dict)}
