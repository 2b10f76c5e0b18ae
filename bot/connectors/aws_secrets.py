"""Secrets of Secrets Manager: a new version becomes current, and the earlier one can become current again.

Decides which version is ours (its id is made from the order's key) and who changed it since. Values are never read.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Any

from bot.connectors.aws_calls import Aws, NotDone
from bot.connectors.contract import Effect, Order, Result
from bot.incident.columns import Json

NAME = re.compile(
    r"[A-Za-z0-9/_+=.@-]{1,512}|arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]{1,519}"
)
"""What CreateSecret accepts as a name, or a secret's whole ARN."""
CURRENT = "AWSCURRENT"
RANDOM_BYTES = 32


def is_secret(scope_id: str) -> bool:
    return NAME.fullmatch(scope_id) is not None


def version_of(order: Order) -> str:
    """The id of the version that this order makes: 64 characters, as many as a ClientRequestToken may have."""
    return hashlib.sha256(order.key.encode()).hexdigest()


@dataclass(frozen=True)
class Versions:
    current: frozenset[str]
    known: frozenset[str]
    rotates: bool


@dataclass(frozen=True)
class Secrets:
    aws: Aws
    random: bool
    """Give a secret that has no rotation of its own a random value."""

    def effect(self, scope_id: str) -> str:
        how = "rotated by its own rotation, or gets a random value" if self.random else "rotated by its own rotation"
        return f"Secret {scope_id} is {how}: its readers get the new version. The earlier version can be made current again."

    async def about(self, order: Order) -> str:
        told = await self.aws.call("secretsmanager", "describe_secret", SecretId=order.scope_id)
        when = told.get("LastAccessedDate")
        return f"It was last read on {when:%Y-%m-%d}." if when else "It is not known to have been read."

    async def snapshot(self, order: Order) -> Result:
        versions = await self._versions(order)
        kept: Json = {"current": sorted(versions.current)}
        return Result(Effect.CAPTURED, "Which version of the secret is current; never its value.", kept)

    async def apply(self, order: Order) -> Result:
        """The same token again makes no further version, and a known version is never made anew."""
        ours, versions = version_of(order), await self._versions(order)
        if ours in versions.known:
            return Result(Effect.APPLIED, "The new version of the secret was made already.")
        if versions.rotates:
            await self.aws.call("secretsmanager", "rotate_secret", SecretId=order.scope_id, ClientRequestToken=ours)
            return Result(Effect.APPLIED, "The secret's own rotation was started.")
        if not self.random:
            raise NotDone("has no rotation for this secret: set one up there, or rotate it by hand")
        await self.aws.call(
            "secretsmanager",
            "put_secret_value",
            SecretId=order.scope_id,
            ClientRequestToken=ours,
            SecretString=secrets.token_urlsafe(RANDOM_BYTES),
        )
        return Result(Effect.APPLIED, "The secret was given a new random value.")

    async def verify(self, order: Order) -> Result:
        ours, versions = version_of(order), await self._versions(order)
        if ours in versions.current:
            words = "Asked again, readers get the new version. Whether the old value is still accepted was not tried."
            return Result(Effect.VERIFIED, words)
        if ours in versions.known and versions.rotates:
            return Result(Effect.UNKNOWN, "The secret's rotation is not finished, or another version is current.")
        return Result(Effect.NOT_IN_FORCE, "Asked again, readers do not get the version that this action made.")

    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        before = [str(version) for version in (snapshot or {}).get("current", [])]
        if len(before) != 1:
            return Result(Effect.FAILED, "Which version was current before is not known, so it was left as it is.")
        ours, versions = version_of(order), await self._versions(order)
        if before[0] in versions.current:
            return Result(Effect.APPLIED, "The earlier version is current already.")
        if ours not in versions.current:
            return Result(Effect.FAILED, "Somebody changed the secret since, so it was left as it is.")
        await self.aws.call(
            "secretsmanager",
            "update_secret_version_stage",
            SecretId=order.scope_id,
            VersionStage=CURRENT,
            MoveToVersionId=before[0],
            RemoveFromVersionId=ours,  # AWS refuses where the label is on another version by now
        )
        return Result(Effect.APPLIED, "The earlier version of the secret was made current again.")

    async def verify_revert(self, order: Order) -> Result:
        if version_of(order) in (await self._versions(order)).current:
            return Result(Effect.VERIFIED, "Asked again, readers still get the version that this action made.")
        return Result(Effect.REVERTED, "Asked again, readers do not get the version that this action made.")

    async def _versions(self, order: Order) -> Versions:
        told = await self.aws.call("secretsmanager", "describe_secret", SecretId=order.scope_id)
        stages: dict[str, Any] = told.get("VersionIdsToStages") or {}
        current = frozenset(version for version, labels in stages.items() if CURRENT in labels)
        return Versions(current, frozenset(stages), bool(told.get("RotationEnabled")))
