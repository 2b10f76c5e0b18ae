"""Containment in a LiteLLM proxy by its admin API: a key is blocked or limited, a model is taken out of service.

Decides what is changed, and what LiteLLM's record and a real chat together prove. Its record alone proves nothing: where no
key is known to try with, a person has to look. Its admin API needs LiteLLM's database.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, HttpUrl, SecretStr

from bot.connectors.contract import ConnectorSettings, Effect, Nature, Order, Plan, Result
from bot.connectors.given import address, secret
from bot.connectors.http import Answered, client, read, silence
from bot.connectors.litellm_api import Litellm, Probe, Record, Seen
from bot.connectors.litellm_orders import HASH, PER_MINUTE, SCOPES, as_before, in_force, told, unread, words
from bot.incident.columns import Json
from bot.incident.errors import Misconfigured
from bot.incident.words import ActionKind, ScopeKind

YES = frozenset({200})


class Settings(ConnectorSettings):
    """A LiteLLM proxy with a database."""

    enforces: ClassVar[frozenset[ActionKind]] = frozenset(SCOPES)

    kind: Literal["litellm_admin"]
    url: HttpUrl
    admin_key_env: str
    """Names the master key, or the key of a proxy admin."""
    probe_keys_env: str | None = None
    """Names real keys, separated by commas: the contained one is recognised among them, and tried. Keep one that is used
    for nothing else, so that somebody else can be asked for as well. Without it a person has to look."""
    probe_model: str | None = Field(default=None, min_length=1)
    """The model that those keys ask for."""

    def connect(self, name: str, env: Mapping[str, str]) -> LitellmAdmin:
        probe = None
        if self.probe_keys_env is not None:
            if self.probe_model is None:
                raise Misconfigured(
                    f"connectors.{name}.probe_model: name the model that the keys of probe_keys_env ask for."
                )
            keys = secret(name, "probe_keys_env", self.probe_keys_env, env).get_secret_value().split(",")
            probe = Probe([SecretStr(key.strip()) for key in keys if key.strip()], self.probe_model)
        api = Litellm(
            client(),
            address(name, "url", self.url).rstrip("/"),
            admin=secret(name, "admin_key_env", self.admin_key_env, env),
            seconds=self.timeout_seconds,
        )
        return LitellmAdmin(name, api, probe)


class LitellmAdmin:
    nature = Nature.SYSTEM

    def __init__(self, name: str, api: Litellm, probe: Probe | None) -> None:
        self.name, self._api, self._probe = name, api, probe

    def can_revert(self, kind: ActionKind) -> bool:
        return True

    def effect_of(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> str:
        target = f"{scope_kind.value.replace('_', ' ')} {scope_id}"
        look = "" if self._probe else " A person has to look whether it holds."
        match kind:
            case ActionKind.RATE_LIMIT:
                return f"{self.name} answers {target} once a minute.{look}"
            case ActionKind.DISABLE_ENDPOINT:
                return f"{self.name} no longer answers from the model of {target}, whoever asks.{look}"
            case _:
                return f"{self.name} refuses every request of {target}, whoever uses it.{look}"

    async def plan(self, order: Order) -> Plan:
        return Plan(self.effect_of(order.kind, order.scope_kind, order.scope_id))

    async def snapshot(self, order: Order) -> Result:
        record = await self._record(order)
        if isinstance(record, Result):
            return record
        kept: Json = {"blocked": bool(record.blocked), "rpm_limit": record.rpm_limit}
        return Result(Effect.CAPTURED, f"Before: {words(order, record)}.", kept)

    async def apply(self, order: Order) -> Result:
        record = await self._record(order)
        if isinstance(record, Result):
            return record
        if in_force(order, record):
            return Result(Effect.APPLIED, f"{self.name} has it already: {words(order, record)}.")
        if not record.db_model:
            why = "the model stands in LiteLLM's own file. Only a model of its database can be blocked."
            return Result(Effect.FAILED, f"{self.name}: {why} Nothing was changed.")
        path, body = told(order, on=True)
        return read(self.name, await self._api.tell(path, body), YES)

    async def verify(self, order: Order) -> Result:
        record = await self._record(order)
        if isinstance(record, Result):
            return Result(Effect.UNKNOWN, record.detail.removesuffix(" Nothing was changed."))
        says = f"{self.name} says: {words(order, record)}"
        if not in_force(order, record):
            return Result(Effect.NOT_IN_FORCE, f"{says}.")
        seen = await self._as_subject(order)
        if seen is None:
            return Result(Effect.ATTEST, f"{says}. That is its word: try it as the subject, then attest.")
        if seen is Seen.SILENT:
            return Result(Effect.UNKNOWN, f"{says}. A real request as the subject showed nothing.")
        if seen is Seen.SERVED:
            return Result(Effect.NOT_IN_FORCE, f"{says}, and a real request as the subject was answered.")
        match await self._as_somebody_else(order, record):
            case None:
                return Result(Effect.VERIFIED, f"{says}, and a real request as the subject was refused.")
            case Seen.SERVED:
                both = "a real request as the subject was refused, and somebody else's was answered."
                return Result(Effect.VERIFIED, f"{says}, {both}")
            case _:
                return Result(Effect.UNKNOWN, f"{says}, and somebody else was not answered either.")

    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        record = await self._record(order)
        if isinstance(record, Result):
            return record
        if snapshot is None or "rpm_limit" not in snapshot:
            return Result(Effect.FAILED, f"{self.name}: what was before is not known. Undo it there by hand.")
        before = Record.model_validate(snapshot)
        if in_force(order, before):
            return Result(Effect.FAILED, "It was in force before this action, so it was left as it was.")
        if as_before(order, record, before):
            return Result(Effect.APPLIED, f"{self.name} has it as before already.")
        if order.kind is ActionKind.RATE_LIMIT and record.rpm_limit != PER_MINUTE:
            why = f"somebody set another limit since ({words(order, record)}), which was left."
            return Result(Effect.FAILED, f"{self.name}: {why}")
        path, body = told(order, on=False, before=before)
        return read(self.name, await self._api.tell(path, body), YES)

    async def verify_revert(self, order: Order) -> Result:
        record = await self._record(order)
        if isinstance(record, Result):
            return Result(Effect.UNKNOWN, record.detail.removesuffix(" Nothing was changed."))
        says = f"{self.name} says: {words(order, record)}"
        if in_force(order, record):
            return Result(Effect.VERIFIED, f"{says}. It is still in force.")
        match await self._as_subject(order):
            case None:
                return Result(Effect.REVERTED, f"{says}. Nobody tried it as the subject.")
            case Seen.SERVED:
                return Result(Effect.REVERTED, f"{says}, and a real request as the subject was answered.")
            case _:
                return Result(Effect.UNKNOWN, f"{says}, and a real request as the subject was not answered.")

    async def health(self) -> Result:
        answer = await self._api.alive()
        if isinstance(answer, Answered) and answer.status == 200:
            return Result(Effect.VERIFIED, f"{self.name} answers, and knows its keys.")
        if isinstance(answer, Answered) and answer.status >= 500:
            return Result(
                Effect.FAILED, f"{self.name} does not list its keys ({answer.status}): has LiteLLM a database?"
            )
        return Result(Effect.FAILED, silence(self.name, answer).detail)

    async def close(self) -> None:
        await self._api.close()

    async def _record(self, order: Order) -> Record | Result:
        if SCOPES.get(order.kind) is not order.scope_kind:
            why = f"it cannot single out a {order.scope_kind.value.replace('_', ' ')} for this."
            return Result(Effect.FAILED, f"{self.name}: {why} Nothing was changed.")
        if order.scope_kind is ScopeKind.API_KEY:
            if not HASH.fullmatch(order.scope_id):
                why = "name the key by its hash (64 hexadecimal digits), as LiteLLM's events do."
                return Result(Effect.FAILED, f"{self.name}: {why} Nothing was changed.")
            found = await self._api.key(order.scope_id)
        else:
            found = await self._api.model(order.scope_id)
        return found if isinstance(found, Record) else unread(self.name, order, found)

    async def _as_subject(self, order: Order) -> Seen | None:
        """What a real request shows; None where there is no key to try with. A limit shows at the second request."""
        if self._probe is None:
            return None
        if order.scope_kind is ScopeKind.ENDPOINT:
            key = self._probe.another(None)
            return await self._api.chat(key, order.scope_id) if key else None
        key = self._probe.key_of(order.scope_id)
        if key is None:
            return None
        seen = await self._api.chat(key, self._probe.model)
        if seen is Seen.SERVED and order.kind is ActionKind.RATE_LIMIT:
            return await self._api.chat(key, self._probe.model)
        return seen

    async def _as_somebody_else(self, order: Order, record: Record) -> Seen | None:
        assert self._probe is not None
        if record.model_name == self._probe.model:
            return None  # what the other keys ask for is what was taken out of service
        other = self._probe.another(order.scope_id if order.scope_kind is ScopeKind.API_KEY else None)
        return await self._api.chat(other, self._probe.model) if other else None
