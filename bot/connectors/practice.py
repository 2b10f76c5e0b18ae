"""Containment on the practice AI app: applied through its admin API, believed only by how it behaves (design law 10).

Decides what the app's behaviour and its own list together mean. The probes are `practice_probes`'s. The list tells apart
actions that look alike from outside (two blocks on one person); alone it proves nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Literal, NamedTuple

from pydantic import HttpUrl, SecretStr

from bot.connectors.contract import ConnectorSettings, Effect, Nature, Order, Plan, Result
from bot.connectors.given import address, secret
from bot.connectors.http import Answered, client, exchange, read
from bot.connectors.practice_probes import PROBES, Seen
from bot.connectors.practice_users import Asker, Users, documents, memories
from bot.incident.columns import Json
from bot.incident.words import ActionKind, ScopeKind

YES = frozenset({200, 201, 202, 204})
WIDE = frozenset(kind.value for kind in ScopeKind if kind.system_wide)
EFFECTS: dict[ActionKind, str] = {
    ActionKind.BLOCK_USER: "Every request of {} is refused; everybody else is served.",
    ActionKind.RATE_LIMIT: "{} gets one answer a minute.",
    ActionKind.ENABLE_SAFE_MODE: "{} gets the approved answer only.",
    ActionKind.DISABLE_TOOLS: "No tool is called for {}.",
    ActionKind.DISABLE_ENDPOINT: "{} answers nobody until it is enabled again.",
    ActionKind.ROTATE_CREDENTIALS: "{} is replaced; the old one is refused from then on.",
    ActionKind.FLUSH_MEMORY: "What is remembered of {} is put aside, and can be put back.",
    ActionKind.RESTRICT_RAG: "{} is taken out of what answers are made from.",
}


class Settings(ConnectorSettings):
    """The practice AI app (`bot.practice.ai_app`), for the demo and for drills."""

    kind: Literal["practice"]
    url: HttpUrl
    secret_env: str
    """Names the token of the app's admin API."""
    probe_url: HttpUrl | None = None
    """Where the app is asked as its users ask it; without it, at `url`."""
    probe_secret_env: str
    """Names the token with which the app is asked as its users ask it."""
    probe_credential_env: str | None = None
    """Names the credential that a rotation replaces: afterwards it must be refused. Without it a person has to look."""

    def connect(self, name: str, env: Mapping[str, str]) -> Practice:
        root, credential = address(name, "url", self.url), self.probe_credential_env
        users = Users(
            root=(address(name, "probe_url", self.probe_url) or root).rstrip("/"),
            token=secret(name, "probe_secret_env", self.probe_secret_env, env),
            credential=secret(name, "probe_credential_env", credential, env) if credential else None,
        )
        admin = secret(name, "secret_env", self.secret_env, env)
        return Practice(name, root=root.rstrip("/"), token=admin, users=users, seconds=self.timeout_seconds)


class InForce(NamedTuple):
    action: str
    kind: str
    id: str


class Practice:
    nature = Nature.PRACTICE

    def __init__(self, name: str, *, root: str, token: SecretStr, users: Users, seconds: float) -> None:
        self.name, self.root, self.token, self.seconds = name, root, token, seconds
        self.http = client()
        self.asker = Asker(self.http, users, seconds)

    def can_revert(self, kind: ActionKind) -> bool:
        return kind is not ActionKind.ROTATE_CREDENTIALS

    def effect_of(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> str:
        named = f"{scope_kind.value.replace('_', ' ')} {scope_id}"
        words = EFFECTS[kind].format("everyone" if scope_kind is ScopeKind.EVERYONE else named)
        return words[0].upper() + words[1:]

    async def plan(self, order: Order) -> Plan:
        return Plan(self.effect_of(order.kind, order.scope_kind, order.scope_id))

    async def snapshot(self, order: Order) -> Result:
        """Whether it was in force already, and digests of what the action puts aside: never the texts."""
        listed = await self._listed()
        if listed is None:
            return Result(Effect.FAILED, f"{self.name} did not say what is in force.")
        kept: Json = {"was_in_force": _entry(order) in listed}
        texts: list[str] | None = []
        if order.kind is ActionKind.FLUSH_MEMORY and order.scope_kind is ScopeKind.USER:
            texts = await memories(self.asker, order)
        elif order.kind is ActionKind.RESTRICT_RAG:
            found = await documents(self.asker)
            texts = None if found is None else [found[key] for key in sorted(found)]
            kept["documents"] = sorted(found or ())
        if texts is None:
            return Result(Effect.FAILED, f"{self.name} did not show what the action would put aside.")
        kept["sha256"] = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        return Result(Effect.CAPTURED, f"State before the action, and the digests of {len(texts)} texts.", kept)

    async def apply(self, order: Order) -> Result:
        return await self._tell("PUT", order)

    async def verify(self, order: Order) -> Result:
        seen = await PROBES[order.kind](self.asker, order)
        listed = await self._listed()
        if seen is Seen.SILENT or listed is None:
            return Result(Effect.UNKNOWN, f"{self.name} could not be asked whether it is in force.")
        if seen is Seen.OPEN:
            return Result(Effect.NOT_IN_FORCE, "Asked again, the app behaves as if nothing had been done.")
        if _entry(order) not in listed:
            return Result(Effect.NOT_IN_FORCE, "The app does not have it in force, whatever else holds there.")
        return self._held(seen, order, listed)

    def _held(self, seen: Seen, order: Order, listed: frozenset[InForce]) -> Result:
        wider = any(one.kind in WIDE for one in listed - {_entry(order)})
        match seen:
            case Seen.UNSEEN:
                return Result(Effect.ATTEST, "The app does not show it from outside. Look there, then attest.")
            case Seen.TOO_MUCH if not wider:
                return Result(Effect.UNKNOWN, "The subject is contained, and others are refused as well: too much is.")
            case Seen.HIDDEN | Seen.TOO_MUCH:
                words = "The app has it in force. Another action refuses more, so it was not seen by itself."
                return Result(Effect.VERIFIED, words)
            case _:
                return Result(Effect.VERIFIED, "Asked again as the subject, the app behaves as contained.")

    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        if snapshot and snapshot.get("was_in_force"):
            return Result(Effect.FAILED, "It was in force before this action, so it was left as it was.")
        return await self._tell("DELETE", order)

    async def verify_revert(self, order: Order) -> Result:
        seen = await PROBES[order.kind](self.asker, order)
        listed = await self._listed()
        if seen is Seen.SILENT or listed is None:
            return Result(Effect.UNKNOWN, f"{self.name} could not be asked whether it is still in force.")
        if seen is Seen.OPEN:
            return Result(Effect.REVERTED, "Asked again as the subject, the app behaves as before.")
        if _entry(order) in listed:
            return Result(Effect.VERIFIED, "Asked again, the app still has it in force.")
        return Result(Effect.REVERTED, "The app no longer has it in force. Another action still holds the subject.")

    async def health(self) -> Result:
        if await self._listed() is None:
            return Result(Effect.FAILED, f"{self.name} does not answer, or does not accept the credentials.")
        return Result(Effect.VERIFIED, f"{self.name} answers.")

    async def close(self) -> None:
        await self.http.aclose()

    async def _tell(self, method: str, order: Order) -> Result:
        body = {
            "scope": {"kind": order.scope_kind.value, "id": order.scope_id},
            "incident": order.incident,
            "key": order.key,
        }
        answer = await exchange(
            self.http,
            method,
            f"{self.root}/admin/containment/{order.kind.value}",
            seconds=self.seconds,
            headers={**self._headers(), "Content-Type": "application/json"},
            content=json.dumps(body).encode(),
        )
        return read(self.name, answer, YES)

    async def _listed(self) -> frozenset[InForce] | None:
        """What the app says is in force; None where it does not say."""
        url = f"{self.root}/admin/containment"
        answer = await exchange(self.http, "GET", url, seconds=self.seconds, headers=self._headers())
        if not isinstance(answer, Answered) or answer.status != 200 or not isinstance(answer.json, dict):
            return None
        rows = answer.json.get("containment")
        if not isinstance(rows, list):
            return None
        return frozenset(
            InForce(str(row.get("action")), str(row.get("kind")), str(row.get("id")))
            for row in rows
            if isinstance(row, dict)
        )

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token.get_secret_value()}"}


def _entry(order: Order) -> InForce:
    return InForce(order.kind.value, order.scope_kind.value, order.scope_id)
