"""Containment by signed webhook: any system that takes a POST, answers whether it holds, and takes it back.

Decides when something is sent and how an answer is read. What a request looks like is `webhook_wire`'s. Answers' bodies are
never shown.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import httpx
from pydantic import HttpUrl, SecretStr, ValidationError

from bot.connectors.contract import ConnectorSettings, Effect, Nature, Order, Plan, Result
from bot.connectors.given import address, secret
from bot.connectors.http import Answered, Exchange, client, exchange, read, silence
from bot.connectors.webhook_wire import Radius, said, sign
from bot.incident.columns import Json
from bot.incident.redact import clip, redact
from bot.incident.words import ActionKind, ScopeKind

CHANGED = frozenset({409, 412})
"""How a receiver refuses to revert over somebody's change."""
LOOK = "A person has to look there and attest what is in force."


class Settings(ConnectorSettings):
    """A receiving end of yours: `docs/connectors.md` says what it gets and what it answers."""

    kind: Literal["webhook"]
    url: HttpUrl
    verify_url: HttpUrl | None = None
    """Asked whether the action is in force. Without it a person has to look and attest."""
    verify_method: Literal["GET", "POST"] = "POST"
    revert_url: HttpUrl | None = None
    """Without it the action cannot be undone from the room, and needs a second person."""
    plan_url: HttpUrl | None = None
    """Asked how much an action would touch. Without it that is not known."""
    secret_env: str
    """Names the secret that signs every request."""
    expect_status: tuple[int, ...] = (200, 201, 202, 204)

    def connect(self, name: str, env: Mapping[str, str]) -> Webhook:
        return Webhook(
            name=name,
            addresses=Addresses(
                apply=address(name, "url", self.url),
                verify=address(name, "verify_url", self.verify_url),
                verify_method=self.verify_method,
                revert=address(name, "revert_url", self.revert_url),
                plan=address(name, "plan_url", self.plan_url),
            ),
            secret=secret(name, "secret_env", self.secret_env, env),
            expect_status=self.expect_status,
            seconds=self.timeout_seconds,
        )


@dataclass(frozen=True)
class Addresses:
    """Where to apply, verify and revert. What is None is said to whoever approves, never guessed."""

    apply: str
    verify: str | None
    verify_method: str
    revert: str | None
    plan: str | None = None


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

    async def plan(self, order: Order) -> Plan:
        sentence = self.effect_of(order.kind, order.scope_kind, order.scope_id)
        if self.addresses.plan is None:
            return Plan(sentence)
        answer = await self._post(self.addresses.plan, order, "plan")
        try:
            told = Radius.model_validate(answer.json if isinstance(answer, Answered) and answer.status == 200 else {})
        except ValidationError:
            told = Radius()
        if told.calls is None and told.subjects is None:
            return Plan(sentence)
        return Plan(
            sentence, told.calls, told.subjects, clip(redact(told.source), 120) or f"{self.name}, of the last hour"
        )

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
        answer = await self._post(self.addresses.revert, order, "revert")
        if isinstance(answer, Answered) and answer.status in CHANGED:
            return Result(Effect.FAILED, f"{self.name} says that somebody changed it since, so it was left as it is.")
        return read(self.name, answer, self.expect_status)

    async def verify_revert(self, order: Order) -> Result:
        held = await self._in_force(order)
        if isinstance(held, Result):
            return held
        if held:
            return Result(Effect.VERIFIED, f"{self.name} was asked again and says that it is still in force.")
        return Result(Effect.REVERTED, f"{self.name} was asked again and says that it is no longer in force.")

    async def health(self) -> Result:
        """Asks for the head of the address, signed: whatever is no refusal shows that something listens there."""
        signature = {"X-Firsthour-Signature": sign(self.secret, int(self.now()), b"")}
        answer = await exchange(self.http, "HEAD", self.addresses.apply, seconds=self.seconds, headers=signature)
        if isinstance(answer, Answered) and (answer.status < 300 or answer.status in {400, 404, 405, 501}):
            return Result(Effect.VERIFIED, f"{self.name} answers.")
        return Result(Effect.FAILED, silence(self.name, answer).detail)

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
        if not isinstance(answer, Answered) or not 200 <= answer.status < 300:
            return silence(self.name, answer)
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
