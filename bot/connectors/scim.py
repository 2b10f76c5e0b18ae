"""Containment in a directory by SCIM 2.0: the account is disabled, so that nobody signs in with it any more.

Decides what the directory's answers mean. It is the directory's word that is verified: sessions and tokens that were
handed out before may outlive it. Where a `probe_url` is given, that is asked as well, and it has the last word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx
from pydantic import HttpUrl, SecretStr

from bot.connectors.contract import ConnectorSettings, Effect, Nature, Order, Plan, Result
from bot.connectors.given import address, secret
from bot.connectors.http import Answered, Exchange, client, exchange, read, silence
from bot.connectors.scim_directory import Account, Directory, NoAccount
from bot.incident.columns import Json
from bot.incident.words import ActionKind, ScopeKind

YES = frozenset({200, 202, 204})
OUTLIVE = "That is the directory's word: sessions and tokens from before may still work."


class Settings(ConnectorSettings):
    """The SCIM endpoint of a directory (Okta, Entra ID, Keycloak with a plug-in…)."""

    enforces: ClassVar[frozenset[ActionKind]] = frozenset({ActionKind.BLOCK_USER})

    kind: Literal["scim"]
    url: HttpUrl
    """The base of `/Users`, for example `https://directory.example/scim/v2`."""
    token_env: str
    """Names the bearer token: it needs to read accounts and to change `active`."""
    attribute: Literal["userName", "externalId"] = "userName"
    """Which attribute holds the user ids that alerts name."""
    probe_url: HttpUrl | None = None
    """Asked with `?user=<id>` whether the user is still let in: 401 or 403 says no, 2xx says yes."""
    probe_token_env: str | None = None
    """Names the bearer token for `probe_url`."""

    def connect(self, name: str, env: Mapping[str, str]) -> Scim:
        http, probe = client(), address(name, "probe_url", self.probe_url)
        return Scim(
            name,
            Directory(
                http,
                address(name, "url", self.url).rstrip("/"),
                self.attribute,
                token=secret(name, "token_env", self.token_env, env),
                seconds=self.timeout_seconds,
            ),
            Probe(http, probe, secret(name, "probe_token_env", self.probe_token_env, env), self.timeout_seconds)
            if probe
            else None,
        )


@dataclass(frozen=True)
class Probe:
    http: httpx.AsyncClient
    url: str
    token: SecretStr
    seconds: float

    async def lets_in(self, user: str) -> bool | None:
        """None where it did not say."""
        parts = urlsplit(self.url)
        query = "&".join(part for part in (parts.query, urlencode({"user": user})) if part)
        headers = {"Authorization": f"Bearer {self.token.get_secret_value()}", "x-firsthour-probe": "1"}
        answer = await exchange(
            self.http, "GET", urlunsplit(parts._replace(query=query)), seconds=self.seconds, headers=headers
        )
        if not isinstance(answer, Answered):
            return None
        return {2: True}.get(answer.status // 100) if answer.status not in {401, 403} else False


class Scim:
    nature = Nature.SYSTEM

    def __init__(self, name: str, directory: Directory, probe: Probe | None) -> None:
        self.name, self._directory, self._probe = name, directory, probe

    def can_revert(self, kind: ActionKind) -> bool:
        return True

    def effect_of(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> str:
        look = "" if self._probe else " Sessions and tokens from before may still work."
        target = "everyone" if scope_kind is ScopeKind.EVERYONE else f"{scope_kind.value.replace('_', ' ')} {scope_id}"
        return f"The account of {target} is disabled in {self.name}: nobody signs in with it.{look}"

    async def plan(self, order: Order) -> Plan:
        return Plan(self.effect_of(order.kind, order.scope_kind, order.scope_id))

    async def snapshot(self, order: Order) -> Result:
        account = await self._account(order)
        if isinstance(account, Result):
            return account
        kept: Json = {"id": account.id, "active": account.active, "digest": account.digest}
        return Result(Effect.CAPTURED, f"The account was {_word(account.active)}.", kept)

    async def apply(self, order: Order) -> Result:
        """Tried twice: whoever changes the account at the same moment must not keep it open."""
        for _ in range(2):
            account = await self._account(order)
            if isinstance(account, Result):
                return account
            if account.active is False:
                return Result(Effect.APPLIED, f"{self.name} has the account disabled already.")
            answer = await self._directory.activate(account, active=False)
            if not _moved(answer):
                return read(self.name, answer, YES)
        return Result(
            Effect.FAILED, f"{self.name}: somebody else is changing the account. Nothing was changed; try again."
        )

    async def verify(self, order: Order) -> Result:
        account = await self._account(order)
        if isinstance(account, Result):
            return Result(Effect.UNKNOWN, account.detail.removesuffix(" Nothing was changed."))
        if account.active is None:
            return Result(Effect.UNKNOWN, f"{self.name} does not say whether the account is active.")
        if account.active:
            return Result(Effect.NOT_IN_FORCE, f"{self.name} was asked again: the account is active.")
        if self._probe is None:
            return Result(Effect.VERIFIED, f"{self.name} was asked again: the account is disabled. {OUTLIVE}")
        match await self._probe.lets_in(order.scope_id):
            case None:
                return Result(Effect.UNKNOWN, "The account is disabled; the probe did not say whether they are let in.")
            case True:
                return Result(Effect.NOT_IN_FORCE, "The account is disabled, and they are still let in.")
            case False:
                return Result(Effect.VERIFIED, "The account is disabled, and they are no longer let in.")

    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        account = await self._account(order)
        if isinstance(account, Result):
            return account
        kept = snapshot or {}
        if account.active and kept.get("active"):
            return Result(Effect.APPLIED, f"{self.name} has the account active already.")
        if not kept.get("active"):
            before = "was disabled before" if kept.get("active") is False else "is not known to have been active before"
            return Result(Effect.FAILED, f"{self.name}: the account {before}, so it was left as it was.")
        if (kept.get("id"), kept.get("digest")) != (account.id, account.digest):
            why = "somebody changed the account since. Look why, and enable it there by hand."
            return Result(Effect.FAILED, f"{self.name}: {why}")
        answer = await self._directory.activate(account, active=True)
        if _moved(answer):
            return Result(Effect.FAILED, f"{self.name}: somebody is changing the account. Look why, and try again.")
        return read(self.name, answer, YES)

    async def verify_revert(self, order: Order) -> Result:
        account = await self._account(order)
        if isinstance(account, Result) or account.active is None:
            return Result(Effect.UNKNOWN, f"{self.name} did not say whether the account is active again.")
        if account.active:
            return Result(Effect.REVERTED, f"{self.name} was asked again: the account is active.")
        return Result(Effect.VERIFIED, f"{self.name} was asked again: the account is still disabled.")

    async def health(self) -> Result:
        answer = await self._directory.about_itself()
        if isinstance(answer, Answered) and answer.status == 200:
            return Result(Effect.VERIFIED, f"{self.name} answers, and lets accounts be looked for.")
        return Result(Effect.FAILED, silence(self.name, answer).detail)

    async def close(self) -> None:
        await self._directory.close()

    async def _account(self, order: Order) -> Account | Result:
        if order.scope_kind is not ScopeKind.USER:
            why = f"a directory has no {order.scope_kind.value.replace('_', ' ')} to disable."
            return Result(Effect.FAILED, f"{self.name}: {why} Nothing was changed.")
        found = await self._directory.find(order.scope_id)
        if isinstance(found, Account):
            return found
        if isinstance(found, NoAccount):
            return Result(Effect.FAILED, f"{self.name} has not exactly one account of that name. Nothing was changed.")
        return Result(Effect.FAILED, f"{silence(self.name, found).detail} Nothing was changed.")


def _moved(answer: Exchange) -> bool:
    """The account was no longer what had been read."""
    return isinstance(answer, Answered) and answer.status == 412


def _word(active: bool | None) -> str:
    return {True: "active", False: "disabled already", None: "there; whether it is active was not said"}[active]
