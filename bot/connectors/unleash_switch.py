"""Containment by Unleash flags: a strategy for the subject alone, believed only by how the flag is evaluated afterwards.

Decides what is switched for which action, and what is said of it. Whether a change would touch too much, and the marks in
the flag, are `unleash_flag`'s; addresses are `unleash_api`'s. Applications follow a flag when they next fetch it: by
default within 15 seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from bot.connectors.contract import Effect, Nature, Order, Plan, Result
from bot.connectors.http import read
from bot.connectors.unleash_api import Flags, unread
from bot.connectors.unleash_flag import (
    FIELDS,
    Flag,
    State,
    back,
    changed,
    context_of,
    refused,
    somebody_else,
    wanted,
    word,
)
from bot.incident.columns import Json
from bot.incident.words import ActionKind, ScopeKind

YES = frozenset({200, 201, 202, 204})
SPREADS = 1.5
"""Seconds for which a change may not be evaluated yet: Unleash itself looks for changes once a second (measured: 1.0)."""


class Unleash:
    nature = Nature.SYSTEM

    def __init__(self, name: str, api: Flags, flags: Mapping[ActionKind, Flag]) -> None:
        self.name, self._api, self._flags = name, api, dict(flags)

    def can_revert(self, kind: ActionKind) -> bool:
        return True

    def effect_of(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> str:
        flag = self._flags.get(kind)
        if flag is None:
            return f"{self.name} has no flag for {kind.value.replace('_', ' ')}."
        target = f"{scope_kind.value.replace('_', ' ')} {scope_id}" if scope_kind in FIELDS else "everyone"
        return f"The flag {flag.flag} is switched {word(flag.contained)} for {target}. Applications follow at their next fetch."

    async def plan(self, order: Order) -> Plan:
        return Plan(self.effect_of(order.kind, order.scope_kind, order.scope_id))

    async def snapshot(self, order: Order) -> Result:
        """How the flag stood: switched on or off, and digests of the strategies that are not Firsthour's."""
        found = await self._found(order)
        if isinstance(found, Result):
            return found
        flag, state = found
        kept: Json = {"flag": flag.flag, "enabled": state.enabled, "strategies": state.foreign}
        return Result(
            Effect.CAPTURED, f"{flag.flag} was {word(state.enabled)} with {len(state.foreign)} strategies.", kept
        )

    async def apply(self, order: Order) -> Result:
        found = await self._found(order)
        if isinstance(found, Result):
            return found
        flag, state = found
        why = refused(flag, order, state)
        if why is not None:
            return Result(Effect.FAILED, f"{self.name}: {why} Nothing was changed.")
        if not state.own(order):
            own = wanted(order, state, hits=flag.contained)
            added = read(self.name, await self._api.add(flag.flag, own), YES)
            if not await self._done(added, flag, lambda now: bool(now.own(order))):
                return added
        if state.enabled is flag.contained:
            return Result(Effect.APPLIED, f"{self.name} said yes.")
        return await self._switch(flag, on=flag.contained)

    async def verify(self, order: Order) -> Result:
        """Evaluates the flag as the subject and as somebody else, and asks whether it is this action that holds."""
        seen = await self._evaluated(order)
        if isinstance(seen, Result):
            return seen
        flag, state, contained = seen
        told = f"Evaluated again as the subject, {flag.flag} is {word(flag.contained is contained)}"
        if not contained:
            return Result(Effect.NOT_IN_FORCE, f"{told}: it does not contain them.")
        if not state.own(order):
            return Result(Effect.NOT_IN_FORCE, f"{told}, though not by this action.")
        if order.scope_kind not in FIELDS:
            return Result(Effect.VERIFIED, f"{told}, and so for everyone.")
        other = await self._api.evaluate(flag.flag, somebody_else(order))
        if other is None:
            return Result(Effect.UNKNOWN, f"{told}. For somebody else it could not be evaluated.")
        if other is not flag.contained:
            return Result(Effect.VERIFIED, f"{told}, and not so for somebody else.")
        if state.active_besides(order):
            return Result(Effect.VERIFIED, f"{told}. Its other strategies contain others as well.")
        return Result(Effect.UNKNOWN, f"{told}, and so for others: too much is contained.")

    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        found = await self._found(order)
        if isinstance(found, Result):
            return found
        flag, state = found
        why = changed(flag, order, state, snapshot or {})
        if why is not None:
            return Result(Effect.FAILED, f"{self.name}: {why} Undo it there by hand; nothing was changed.")
        if back(flag, order, state):
            switched = await self._switch(flag, on=not flag.contained)
            if not await self._done(switched, flag, lambda now: now.enabled is not flag.contained):
                return switched
        for own in state.own(order):
            removed = read(self.name, await self._api.remove(flag.flag, own), YES | {404})
            if removed.effect is not Effect.APPLIED:
                return removed
        return Result(Effect.APPLIED, f"{self.name} said yes.")

    async def verify_revert(self, order: Order) -> Result:
        seen = await self._evaluated(order)
        if isinstance(seen, Result):
            return seen
        flag, state, contained = seen
        told = f"Evaluated again as the subject, {flag.flag} is {word(flag.contained is contained)}"
        if not contained:
            return Result(Effect.REVERTED, f"{told}: it no longer contains them.")
        if state.own(order):
            return Result(Effect.VERIFIED, f"{told}: it still contains them.")
        if not state.contains(flag):
            return Result(Effect.UNKNOWN, f"{told}, though it was switched back.")
        return Result(Effect.REVERTED, f"{told}, though not by this action any more: something else holds it.")

    async def health(self) -> Result:
        """Every flag can be read in the environment, and evaluated."""
        for flag in self._flags.values():
            state = await self._api.state(flag.flag)
            if not isinstance(state, State):
                return unread(self.name, flag, state)
        if await self._api.evaluate("firsthour-health", {}) is None:
            return Result(
                Effect.FAILED, f"{self.name} does not evaluate flags: check the frontend token's credentials."
            )
        return Result(Effect.VERIFIED, f"{self.name} answers, and knows {len(self._flags)} flags.")

    async def close(self) -> None:
        await self._api.close()

    async def _found(self, order: Order) -> tuple[Flag, State] | Result:
        """The order's flag and how it stands; FAILED where there is none, or none that can single out such a subject."""
        flag = self._flags.get(order.kind)
        if flag is None:
            return Result(Effect.FAILED, f"{self.name} has no flag for {order.kind.value}. Nothing was changed.")
        if order.scope_kind not in FIELDS and order.scope_kind is not ScopeKind.EVERYONE:
            why = f"no flag can single out a {order.scope_kind.value}. Nothing was changed."
            return Result(Effect.FAILED, f"{self.name}: {why}")
        state = await self._api.state(flag.flag)
        return (flag, state) if isinstance(state, State) else unread(self.name, flag, state)

    async def _evaluated(self, order: Order) -> tuple[Flag, State, bool] | Result:
        """Whether the flag contains the subject. What was changed is evaluated within a second, so it is asked again."""
        found = await self._found(order)
        if isinstance(found, Result):
            return Result(Effect.UNKNOWN, found.detail.removesuffix(" Nothing was changed."))
        flag, state = found
        expected = bool(state.own(order)) and state.contains(flag)
        until = asyncio.get_running_loop().time() + SPREADS
        while (on := await self._api.evaluate(flag.flag, context_of(order))) is not None:
            settled = (on is flag.contained) is expected or (not expected and state.contains(flag))
            if settled or asyncio.get_running_loop().time() > until:
                return flag, state, on is flag.contained
            await asyncio.sleep(0.1)
        return Result(Effect.UNKNOWN, f"{self.name} did not evaluate {flag.flag}.")

    async def _done(self, told: Result, flag: Flag, as_told: Callable[[State], bool]) -> bool:
        """Whether the first of two steps was taken. After an answer that leaves it open, by looking."""
        if told.effect is not Effect.UNKNOWN:
            return told.effect is Effect.APPLIED
        state = await self._api.state(flag.flag)
        return isinstance(state, State) and as_told(state)

    async def _switch(self, flag: Flag, *, on: bool) -> Result:
        switched = read(self.name, await self._api.switch(flag.flag, on=on), YES)
        if switched.effect is not Effect.FAILED:
            return switched
        words = f"{self.name} did not switch {flag.flag} {word(on)}: may its token switch this environment?"
        return Result(Effect.FAILED, words)
