"""AWS: access keys of IAM, secrets of Secrets Manager, users of a Cognito user pool. Needs the extra `aws`.

Decides which of them an order is about, and what an outcome of a call means for the room. What is done is `aws_keys`',
`aws_secrets`' and `aws_users`'; the IAM permissions that it needs are in `docs/connectors.md`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Literal, Protocol

from pydantic import Field, HttpUrl

from bot.connectors.aws_calls import Aws as Account
from bot.connectors.aws_calls import Keys, NotDone, Unanswered
from bot.connectors.aws_keys import AccessKeys, is_key, is_temporary
from bot.connectors.aws_secrets import Secrets, is_secret
from bot.connectors.aws_users import PoolUsers
from bot.connectors.contract import ConnectorSettings, Effect, Nature, Order, Plan, Result
from bot.connectors.given import address, secret
from bot.incident.columns import Json
from bot.incident.errors import Misconfigured
from bot.incident.words import ActionKind, ScopeKind

E = Effect


class Settings(ConnectorSettings):
    """Without keys, boto3 finds credentials by itself (a role, the environment)."""

    enforces = frozenset({ActionKind.ROTATE_CREDENTIALS, ActionKind.BLOCK_USER})

    kind: Literal["aws"]
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    endpoint_url: HttpUrl | None = None
    """For all services, where they are not AWS's own."""
    access_key_id_env: str | None = None
    secret_access_key_env: str | None = None
    user_pool_id: Annotated[str, Field(pattern=r"^[\w-]+_[0-9a-zA-Z]+$", max_length=55)] | None = None
    """The Cognito user pool whose users `block_user` is about."""
    client_id: Annotated[str, Field(pattern=r"^[\w+]+$", max_length=128)] | None = None
    """An app client of the pool that allows ADMIN_USER_PASSWORD_AUTH, for `probes` of users."""
    random_value: bool = False
    """Give a secret that has no rotation of its own a random value. Without it that is refused."""
    probes: dict[str, str] = Field(default_factory=dict)
    """By access key id or user name the variable that holds its secret: verification then tries it."""

    def connect(self, name: str, env: Mapping[str, str]) -> Aws:
        if self.user_pool_id is None and ActionKind.BLOCK_USER in self.actions:
            raise Misconfigured(f"connectors.{name}.user_pool_id: block_user needs the id of a Cognito user pool.")
        account = Account(
            region=self.region,
            endpoint=address(name, "endpoint_url", self.endpoint_url),
            keys=self._keys(name, env),
            seconds=self.timeout_seconds,
        )
        probes = {one: secret(name, f"probes.{one}", variable, env) for one, variable in self.probes.items()}
        users = PoolUsers(account, self.user_pool_id, self.client_id, probes) if self.user_pool_id else None
        return Aws(name, account, AccessKeys(account, probes), Secrets(account, self.random_value), users)

    def _keys(self, name: str, env: Mapping[str, str]) -> Keys | None:
        if self.access_key_id_env is None and self.secret_access_key_env is None:
            return None
        key_id = secret(name, "access_key_id_env", self.access_key_id_env, env).get_secret_value()
        return Keys(key_id, secret(name, "secret_access_key_env", self.secret_access_key_env, env))


class Part(Protocol):
    """One thing of AWS that can be contained. Its methods raise NotDone and Unanswered."""

    def effect(self, scope_id: str) -> str: ...
    async def about(self, order: Order) -> str: ...
    async def snapshot(self, order: Order) -> Result: ...
    async def apply(self, order: Order) -> Result: ...
    async def verify(self, order: Order) -> Result: ...
    async def revert(self, order: Order, snapshot: Json | None) -> Result: ...
    async def verify_revert(self, order: Order) -> Result: ...


class Aws:
    nature = Nature.SYSTEM

    def __init__(
        self, name: str, account: Account, keys: AccessKeys, secrets: Secrets, users: PoolUsers | None
    ) -> None:
        self.name, self.account, self.keys, self.secrets, self.users = name, account, keys, secrets, users

    def can_revert(self, kind: ActionKind) -> bool:
        return True

    def effect_of(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> str:
        try:
            return self._part(kind, scope_kind, scope_id).effect(scope_id)
        except NotDone as why:
            return f"{scope_kind.value.replace('_', ' ').capitalize()} {scope_id}: {self.name} {why}."

    async def plan(self, order: Order) -> Plan:
        """What it would do, and when the key, the secret or the user was last used: AWS does not count calls for us."""
        sentence = self.effect_of(order.kind, order.scope_kind, order.scope_id)
        try:
            return Plan(f"{sentence} {await self._of(order).about(order)}")
        except (NotDone, Unanswered):
            return Plan(sentence)

    async def snapshot(self, order: Order) -> Result:
        return await self._answer(lambda: self._of(order).snapshot(order), silent=E.FAILED)

    async def apply(self, order: Order) -> Result:
        return await self._answer(lambda: self._of(order).apply(order), changes=True)

    async def verify(self, order: Order) -> Result:
        return await self._answer(lambda: self._of(order).verify(order), not_done=E.UNKNOWN)

    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        return await self._answer(lambda: self._of(order).revert(order, snapshot), changes=True)

    async def verify_revert(self, order: Order) -> Result:
        return await self._answer(lambda: self._of(order).verify_revert(order), not_done=E.UNKNOWN)

    async def health(self) -> Result:
        return await self._answer(self._well, silent=E.FAILED)

    async def close(self) -> None:
        self.account.close()

    async def _well(self) -> Result:
        await self.account.call("sts", "get_caller_identity")
        return Result(E.VERIFIED, f"{self.name} answers and accepts the credentials.")

    async def _answer(
        self,
        act: Callable[[], Awaitable[Result]],
        *,
        not_done: Effect = E.FAILED,
        silent: Effect = E.UNKNOWN,
        changes: bool = False,
    ) -> Result:
        try:
            return await act()
        except NotDone as why:
            return Result(not_done, f"{self.name} {why}.{' Nothing was changed.' if changes else ''}")
        except Unanswered as why:
            return Result(silent, f"{self.name} {why}.{' It may be done.' if changes else ''}")

    def _of(self, order: Order) -> Part:
        return self._part(order.kind, order.scope_kind, order.scope_id)

    def _part(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> Part:
        """What the order is about. Raises NotDone where it is nothing that can be contained here."""
        match kind, scope_kind:
            case ActionKind.ROTATE_CREDENTIALS, ScopeKind.CREDENTIAL if is_key(scope_id):
                return self.keys
            case ActionKind.ROTATE_CREDENTIALS, ScopeKind.CREDENTIAL if is_temporary(scope_id):
                raise NotDone(
                    "cannot switch off a temporary key (ASIA…): it ends by itself. End its role's sessions by hand"
                )
            case ActionKind.ROTATE_CREDENTIALS, ScopeKind.CREDENTIAL if is_secret(scope_id):
                return self.secrets
            case ActionKind.ROTATE_CREDENTIALS, _:
                raise NotDone(
                    "takes the id of a long-lived access key (AKIA…) or the name of a secret. Propose it again on one"
                )
            case ActionKind.BLOCK_USER, ScopeKind.USER if self.users is not None:
                return self.users
            case _:
                raise NotDone("cannot do this: it blocks users of its user pool, and rotates credentials")
