"""Users of a Cognito user pool: signed out and disabled, and enabled again.

Decides the order of the calls and what proves that somebody is out. Limits and failures are `aws_calls`'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from bot.connectors.aws_calls import Aws, NotDone, Refused, Unanswered
from bot.connectors.contract import Effect, Order, Result
from bot.incident.columns import Json


@dataclass(frozen=True)
class PoolUsers:
    aws: Aws
    pool: str
    client: str | None
    """An app client that allows ADMIN_USER_PASSWORD_AUTH; sign-ins are tried through it."""
    probes: Mapping[str, SecretStr]
    """By user name the password of users whose sign-in may be tried once they are disabled."""

    def effect(self, scope_id: str) -> str:
        return (
            f"User {scope_id} cannot sign in at the Cognito user pool any more, and their sessions end. An application "
            "that checks tokens by itself accepts one until it expires."
        )

    async def about(self, order: Order) -> str:
        told = await self._call("admin_get_user", order)
        return f"The account was last changed on {told['UserLastModifiedDate']:%Y-%m-%d}."

    async def snapshot(self, order: Order) -> Result:
        enabled = await self._enabled(order)
        words = f"The user was {'enabled' if enabled else 'disabled'}."
        return Result(Effect.CAPTURED, words, {"enabled": enabled})

    async def apply(self, order: Order) -> Result:
        """Disabled first, which by itself ends what Cognito is asked with a token. Sessions are ended in any case."""
        if await self._enabled(order):
            try:
                await self._call("admin_disable_user", order)
            except Unanswered:
                await self._sign_out(order)
                raise
        return Result(Effect.APPLIED, f"Cognito was told to disable the user. {await self._sign_out(order)}")

    async def _sign_out(self, order: Order) -> str:
        try:
            await self._call("admin_user_global_sign_out", order)
        except (NotDone, Unanswered) as why:
            return f"Ending their open sessions failed: Cognito {why}."
        return "Their open sessions were ended."

    async def verify(self, order: Order) -> Result:
        if await self._enabled(order):
            return Result(Effect.NOT_IN_FORCE, "Asked again, Cognito lists the user as enabled.")
        if self.client is None or order.scope_id not in self.probes:
            words = "Asked again, Cognito lists the user as disabled. No sign-in was tried: their password is not known here."
            return Result(Effect.VERIFIED, words)
        if await self._signs_in(order):
            return Result(Effect.NOT_IN_FORCE, "Cognito lists the user as disabled, and still lets them sign in.")
        return Result(Effect.VERIFIED, "A sign-in as the user was refused, and Cognito lists them as disabled.")

    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        if snapshot and not snapshot.get("enabled", True):
            return Result(Effect.FAILED, "The user was disabled before this action, so they were left so.")
        if await self._enabled(order):
            return Result(Effect.APPLIED, "The user is enabled already.")
        await self._call("admin_enable_user", order)
        return Result(Effect.APPLIED, "Cognito was told to enable the user.")

    async def verify_revert(self, order: Order) -> Result:
        if await self._enabled(order):
            return Result(Effect.REVERTED, "Asked again, Cognito lists the user as enabled.")
        return Result(Effect.VERIFIED, "Asked again, Cognito still lists the user as disabled.")

    async def _enabled(self, order: Order) -> bool:
        return bool((await self._call("admin_get_user", order)).get("Enabled"))

    async def _signs_in(self, order: Order) -> bool:
        try:
            await self.aws.call(
                "cognito-idp",
                "admin_initiate_auth",
                UserPoolId=self.pool,
                ClientId=self.client,
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={
                    "USERNAME": order.scope_id,
                    "PASSWORD": self.probes[order.scope_id].get_secret_value(),
                },
            )
        except Refused:
            return False
        return True

    async def _call(self, operation: str, order: Order) -> dict[str, Any]:
        return await self.aws.call("cognito-idp", operation, UserPoolId=self.pool, Username=order.scope_id)
