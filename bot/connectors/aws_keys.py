"""Access keys of IAM: switched off and on again, never deleted. A new key is made by a person, who can hand it out.

Decides how a key's owner is found and what proves that it is off. Limits and failures are `aws_calls`'.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from bot.connectors.aws_calls import Aws, Keys, Missing, NotDone, Refused
from bot.connectors.contract import Effect, Order, Result
from bot.incident.columns import Json

LONG_LIVED = re.compile(r"AKIA[A-Z0-9]{12,124}")
TEMPORARY = re.compile(r"ASIA[A-Z0-9]{12,124}")
"""IAM user guide, “unique ID prefixes”. Keys of STS end by themselves and cannot be switched off."""


def is_key(scope_id: str) -> bool:
    return LONG_LIVED.fullmatch(scope_id) is not None


def is_temporary(scope_id: str) -> bool:
    return TEMPORARY.fullmatch(scope_id) is not None


@dataclass(frozen=True)
class Held:
    user: str
    active: bool


@dataclass(frozen=True)
class AccessKeys:
    aws: Aws
    probes: Mapping[str, SecretStr]
    """By key id the secret of keys that may be tried once they are off."""

    def effect(self, scope_id: str) -> str:
        return (
            f"Access key {scope_id} is switched off in IAM: whatever uses it fails from then on. "
            "A person makes and hands out the new one. It can be switched on again."
        )

    async def about(self, order: Order) -> str:
        used = await self.aws.call("iam", "get_access_key_last_used", AccessKeyId=order.scope_id)
        last = used.get("AccessKeyLastUsed", {})
        when, where = last.get("LastUsedDate"), str(last.get("ServiceName", ""))[:40]
        told = f"last used {when:%Y-%m-%d %H:%M} UTC for {where}" if when else "not known to have been used"
        return f"It is of IAM user {str(used.get('UserName', ''))[:64]}, {told}."

    async def snapshot(self, order: Order) -> Result:
        held = await self._held(order)
        kept: Json = {"user": held.user, "active": held.active}
        return Result(Effect.CAPTURED, f"The key is of IAM user {held.user} and was {_word(held.active)}.", kept)

    async def apply(self, order: Order) -> Result:
        if self.aws.keys and order.scope_id == self.aws.keys.id:
            raise NotDone("was not asked: it is the key that Firsthour itself uses, so a person has to do it")
        return await self._set(order, await self._held(order), active=False)

    async def verify(self, order: Order) -> Result:
        if (await self._held(order)).active:
            return Result(Effect.NOT_IN_FORCE, "Asked again, IAM lists the key as Active.")
        if order.scope_id not in self.probes:
            words = "Asked again, IAM lists the key as Inactive. It was not tried: its secret is not known here."
            return Result(Effect.VERIFIED, words)
        if await self._accepted(Keys(order.scope_id, self.probes[order.scope_id])):
            words = "IAM lists the key as Inactive, and a call with it was still accepted: AWS may need some seconds."
            return Result(Effect.UNKNOWN, words)
        return Result(Effect.VERIFIED, "A call with the key was refused, and IAM lists it as Inactive.")

    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        if snapshot and not snapshot.get("active", True):
            return Result(Effect.FAILED, "The key was Inactive before this action, so it was left as it was.")
        held = await self._held(order)
        if snapshot and held.user != snapshot.get("user", held.user):
            return Result(Effect.FAILED, "The key is another user's by now, so it was left as it is.")
        return await self._set(order, held, active=True)

    async def verify_revert(self, order: Order) -> Result:
        if (await self._held(order)).active:
            return Result(Effect.REVERTED, "Asked again, IAM lists the key as Active.")
        return Result(Effect.VERIFIED, "Asked again, IAM still lists the key as Inactive.")

    async def _set(self, order: Order, held: Held, *, active: bool) -> Result:
        if held.active is active:
            return Result(Effect.APPLIED, f"The key was {_word(active)} already.")
        await self.aws.call(
            "iam", "update_access_key", UserName=held.user, AccessKeyId=order.scope_id, Status=_word(active)
        )
        return Result(Effect.APPLIED, f"IAM was told to set the key {_word(active)}.")

    async def _held(self, order: Order) -> Held:
        """Whose it is and whether it is on. Raises Missing where the account has no such key."""
        used = await self.aws.call("iam", "get_access_key_last_used", AccessKeyId=order.scope_id)
        user = str(used.get("UserName") or "")
        if not user:
            raise NotDone("says that the key is of no IAM user: a person has to do it")
        marker: dict[str, str] = {}
        while True:
            listed = await self.aws.call("iam", "list_access_keys", UserName=user, **marker)
            if (found := _status(listed, order.scope_id)) is not None:
                return Held(user, found)
            if not listed.get("IsTruncated"):
                raise Missing("knows no such access key")
            marker = {"Marker": str(listed["Marker"])}

    async def _accepted(self, keys: Keys) -> bool:
        tried = Aws(region=self.aws.region, endpoint=self.aws.endpoint, keys=keys, seconds=self.aws.seconds)
        try:
            await tried.call("sts", "get_caller_identity")
        except Refused:
            return False
        finally:
            tried.close()
        return True


def _status(listed: Mapping[str, Any], key_id: str) -> bool | None:
    """Whether the key is on; None where it is not on this page."""
    statuses = {one.get("AccessKeyId"): one.get("Status") for one in listed.get("AccessKeyMetadata", [])}
    return None if key_id not in statuses else statuses[key_id] == "Active"


def _word(active: bool) -> str:
    return "Active" if active else "Inactive"
