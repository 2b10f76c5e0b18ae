"""Containment by signed webhook: any system that takes a POST, answers whether it holds, and takes it back.

Decides what is sent and how an answer is read. Every request is signed: `X-Firsthour-Signature: t=<unix>,v1=<hex>`, the
HMAC-SHA256 of `t.body` (of `t.query` for a verification by GET). The body holds ids only. Answers' bodies are never shown.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import httpx
from pydantic import SecretStr

from bot.connectors.contract import Effect, Nature, Order, Result
from bot.connectors.http import Answered, Exchange, client, exchange, read
from bot.incident.columns import Json
from bot.incident.words import ActionKind, ScopeKind

LOOK = "A person has to look there and attest what is in force."


@dataclass(frozen=True)
class Addresses:
    """Where to apply, verify and revert. What is None is said to whoever approves, never guessed."""

    apply: str
    verify: str | None
    verify_method: str
    revert: str | None


def sign(secret: SecretStr, at: int, content: bytes) -> str:
    """The value of `X-Firsthour-Signature`. The receiver recomputes it and refuses an old `t`."""
    mac = hmac.new(secret.get_secret_value().encode(), f"{at}.".encode() + content, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


def said(order: Order, do: str) -> dict[str, object]:
    """The whole body: ids, and what is asked (`apply`, `verify` or `revert`)."""
    return {
        "do": do,
        "incident": order.incident,
        "key": order.key,
        "action": order.kind.value,
        "scope": {"kind": order.scope_kind.value, "id": order.scope_id},
    }


@dataclass
class Webhook:
    name: str
    addresses: Addresses
    secret: SecretStr
    expect_status: tuple[int, ...]
    seconds: float
    now: Callable[[], float] = time.time
    http: httpx.AsyncClient = field(default_factory=client)
    nature: Nature = Nature.SYSTEM

    def can_revert(self, kind: ActionKind) -> bool:
        return self.addresses.revert is not None

    def effect_of(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> str:
        what, on = kind.value.replace("_", " "), scope_kind.value.replace("_", " ")
        target = "everyone" if scope_kind is ScopeKind.EVERYONE else f"{on} {scope_id}"
        look = "" if self.addresses.verify else " It cannot be verified by itself: a person has to look and attest."
        back = "" if self.addresses.revert else " It cannot be undone from here."
        return f"{self.name} is told: {what} for {target}.{look}{back}"

    async def snapshot(self, order: Order) -> Result:
        return Result(Effect.CAPTURED, f"{self.name} keeps the earlier state itself.")

    async def apply(self, order: Order) -> Result:
        return read(self.name, await self._post(self.addresses.apply, order, "apply"), self.expect_status)

    async def verify(self, order: Order) -> Result:
        held = await self._in_force(order)
        if isinstance(held, Result):
            return held
        if held:
            return Result(Effect.VERIFIED, f"{self.name} was asked again and says that it is in force.")
        return Result(Effect.NOT_IN_FORCE, f"{self.name} was asked again and says that it is not in force.")

    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        if self.addresses.revert is None:
            return Result(Effect.FAILED, f"{self.name} has no address to revert at. Undo it there by hand.")
        return read(self.name, await self._post(self.addresses.revert, order, "revert"), self.expect_status)

    async def verify_revert(self, order: Order) -> Result:
        held = await self._in_force(order)
        if isinstance(held, Result):
            return held
        if held:
            return Result(Effect.VERIFIED, f"{self.name} was asked again and says that it is still in force.")
        return Result(Effect.REVERTED, f"{self.name} was asked again and says that it is no longer in force.")

    async def health(self) -> Result:
        """Asks for the head of the address without a signature: any answer shows that something listens."""
        answer = await exchange(self.http, "HEAD", self.addresses.apply, seconds=self.seconds)
        if isinstance(answer, Answered):
            return Result(Effect.VERIFIED, f"{self.name} answers.")
        return Result(Effect.FAILED, f"{self.name}: {answer.why}.")

    async def close(self) -> None:
        await self.http.aclose()

    async def _in_force(self, order: Order) -> bool | Result:
        """Only an explicit true or false counts; anything else is not known."""
        if self.addresses.verify is None:
            return Result(Effect.ATTEST, f"{self.name} has no address to verify at. {LOOK}")
        if self.addresses.verify_method == "GET":
            answer = await self._get(self.addresses.verify, order)
        else:
            answer = await self._post(self.addresses.verify, order, "verify")
        if not isinstance(answer, Answered):
            return Result(Effect.UNKNOWN, f"{self.name} could not be asked: {answer.why}.")
        if not 200 <= answer.status < 300:
            return Result(Effect.UNKNOWN, f"{self.name} answered {answer.status} when asked whether it is in force.")
        body = answer.json
        held = body.get("in_force") if isinstance(body, dict) else None
        if isinstance(held, bool):
            return held
        return Result(Effect.UNKNOWN, f"{self.name} did not say whether it is in force.")

    async def _post(self, url: str, order: Order, do: str) -> Exchange:
        # Keys hold scope ids, and those come from outside: quoted, they cannot end a header.
        key = quote(order.key if do == "apply" else f"{order.key}:{do}", safe=":/")
        body = json.dumps(said(order, do), separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            "X-Firsthour-Signature": sign(self.secret, int(self.now()), body),
        }
        return await exchange(self.http, "POST", url, seconds=self.seconds, headers=headers, content=body)

    async def _get(self, url: str, order: Order) -> Exchange:
        asked = {
            "incident": order.incident,
            "key": order.key,
            "action": order.kind.value,
            "scope_kind": order.scope_kind.value,
            "scope_id": order.scope_id,
        }
        parts = urlsplit(url)
        query = "&".join(part for part in (parts.query, urlencode(asked)) if part)
        headers = {"X-Firsthour-Signature": sign(self.secret, int(self.now()), query.encode())}
        return await exchange(
            self.http, "GET", urlunsplit(parts._replace(query=query)), seconds=self.seconds, headers=headers
        )
