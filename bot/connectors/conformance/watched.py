"""A connector under observation: each call must end in time, raise nothing, and answer in words without a secret.

Decides what is wrong with a single answer. What a connector promises over several calls is `calm`'s and `under_faults`'.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Sequence
from typing import Literal, TypeVar

from bot.connectors.contract import Connector, Effect, Order, Plan, Result
from bot.incident.columns import Json

LONGEST = 500
"""Characters of a detail: more is somebody's payload, not words for a room."""
T = TypeVar("T", Plan, Result)


class Broken(AssertionError):
    """A promise that is not kept, in words."""


def promised(kept: bool, words: str) -> None:
    if not kept:
        raise Broken(words)


class Watched:
    def __init__(self, connector: Connector, secrets: Sequence[str], patience: float) -> None:
        self.connector, self.secrets, self.patience = connector, tuple(secrets), patience

    async def plan(self, order: Order) -> Plan:
        plan = await self._call("plan", self.connector.plan(order))
        self._in_words("plan", plan.sentence)
        return plan

    async def expect(
        self, call: Literal["snapshot", "apply", "verify", "verify_revert"], order: Order, *effects: Effect
    ) -> Result:
        """The answer. Raises Broken where it is none of these effects."""
        return self._one_of(call, await self._call(call, getattr(self.connector, call)(order)), effects)

    async def revert(self, order: Order, captured: Result | None, *effects: Effect) -> Result:
        """With the snapshot as it comes back from the store."""
        snapshot: Json | None = json.loads(json.dumps(captured.snapshot)) if captured else None
        return self._one_of("revert", await self._call("revert", self.connector.revert(order, snapshot)), effects)

    async def health(self, *effects: Effect) -> Result:
        return self._one_of("health", await self._call("health", self.connector.health()), effects)

    async def _call(self, name: str, answer: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self.patience):
                said = await answer
        except TimeoutError:
            raise Broken(f"{name} ends within its own time-out: it had not after {self.patience:g} s") from None
        except Exception as error:
            raise Broken(f"{name} raises nothing: it raised {type(error).__name__}") from error
        promised(not any(secret in str(said) for secret in self.secrets), f"{name} tells no secret")
        return said

    def _one_of(self, name: str, said: Result, effects: Sequence[Effect]) -> Result:
        wanted = " or ".join(effect.value for effect in effects)
        promised(said.effect in effects, f"{name} answers {wanted} here: it said {said.effect.value}, “{said.detail}”")
        self._in_words(name, said.detail)
        try:
            json.dumps(said.snapshot)
        except (TypeError, ValueError):
            raise Broken(f"{name}: a snapshot can be stored as JSON") from None
        return said

    def _in_words(self, name: str, words: str) -> None:
        promised(0 < len(words) <= LONGEST, f"{name} answers in words of at most {LONGEST} characters: {words[:80]}")
        promised("://" not in words and "Traceback" not in words, f"{name} shows no address and no trace: {words[:80]}")
