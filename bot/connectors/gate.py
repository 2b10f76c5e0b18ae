"""Containment by Firsthour's own gate: the connector of every action that the gate can enforce (design §8).

Decides when a rule is believed: the gate behaves so, and every gate that is alive holds it. The policy is handed in by
`bot.app`; what is asked of a gate is `gate_probe`'s. Rules of several incidents on one target stand side by side, so a
revert removes ours and leaves the others in force.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.connectors.contract import Effect, Nature, Order, Plan, Result
from bot.connectors.gate_behaviour import Seen, look, target
from bot.connectors.gate_probe import Asking, Unanswered
from bot.connectors.gate_rule import Policy, Terms, beyond, held_by
from bot.incident.columns import Json
from bot.incident.errors import Busy
from bot.incident.policy import GateReplica, Rule
from bot.incident.words import ActionKind, ScopeKind

E = Effect
SETTLES = 1.5
"""Seconds in which gates take a change over: they follow within 0.2. Where it takes longer, `bot.cases` asks again."""
AGAIN = 0.05


@dataclass
class Gate:
    policy: Policy
    asking: Asking
    terms: Terms
    seconds: float = 4.0
    """For one method."""
    name: str = "gate"
    nature: Nature = Nature.SYSTEM

    def can_revert(self, kind: ActionKind) -> bool:
        return True

    def effect_of(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> str:
        return self.terms.sentence(kind, scope_kind, scope_id)

    async def plan(self, order: Order) -> Plan:
        about = (order.kind, order.scope_kind, order.scope_id)
        sentence, usage = self.effect_of(*about), await self.asking.usage(*about)
        if isinstance(usage, Unanswered):
            return Plan(sentence)
        try:
            async with asyncio.timeout(self.seconds):
                gates = len(await self.policy.gates())
        except (Busy, TimeoutError):
            gates = 0
        return Plan(sentence, usage.calls, usage.subjects, usage.source(gates))

    async def snapshot(self, order: Order) -> Result:
        async def capture() -> Result:
            others = await self._others(order)
            before = [
                {"key": rule.key, "scope": rule.scope_kind.value, "per_minute": rule.per_minute, "text": rule.text}
                for rule in others
            ]
            said = held_by(others) if others else "No rule of the gate did this before."
            return Result(E.CAPTURED, said, {"before": before})

        return await self._within(capture, busy=E.FAILED, slow=E.FAILED)

    async def apply(self, order: Order) -> Result:
        if (why := beyond(order)) is not None:
            return Result(E.FAILED, f"The gate cannot do this: {why} Nothing was changed.")

        async def put() -> Result:
            rule = await self.policy.put(self.terms.rule(order))
            if rule.removed_at is None:
                return Result(E.APPLIED, f"The rule is in the gate's policy (version {rule.version}).")
            gone = f"it was put before, and removed at {rule.removed_at:%H:%M} UTC"
            return Result(E.FAILED, f"Nothing was changed: {gone}. Propose it again.")

        return await self._within(put, busy=E.FAILED)

    async def verify(self, order: Order) -> Result:
        async def settled() -> Result:
            rule = await self.policy.get(order.key)
            if rule is None or rule.removed_at is not None:
                return Result(E.NOT_IN_FORCE, "The gate's policy has no rule of this action.")
            return await self._settled(lambda: self._in_force(order, rule), E.VERIFIED)

        return await self._within(settled)

    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        """What stood before still stands: nothing of the snapshot has to be put back."""

        async def remove() -> Result:
            rule = await self.policy.remove(order.key)
            if rule is None:
                return Result(E.APPLIED, "The gate's policy has no rule of this action: nothing was to be removed.")
            if rule.removed_at is not None:
                return Result(E.APPLIED, f"The rule was taken out of the gate's policy (version {rule.version}).")
            who = "Somebody" if order.incident == f"INC-{rule.incident}" else f"INC-{rule.incident}"
            return Result(E.FAILED, f"{who} changed this rule after it was put. It was left as it is: ask there first.")

        return await self._within(remove, busy=E.FAILED)

    async def verify_revert(self, order: Order) -> Result:
        async def settled() -> Result:
            rule = await self.policy.get(order.key)
            if rule is not None and rule.removed_at is None:
                return Result(E.VERIFIED, "The gate's policy still has this rule.")
            return await self._settled(lambda: self._gone(order, rule), E.REVERTED)

        return await self._within(settled)

    async def health(self) -> Result:
        async def well() -> Result:
            why = await self.asking.not_well()
            if why is not None:
                return Result(E.FAILED, f"The gate: {why}.")
            gates = await self.policy.gates()
            return Result(E.VERIFIED, f"The gate answers; {len(gates)} of them follow the policy.")

        return await self._within(well, busy=E.FAILED, slow=E.FAILED)

    async def close(self) -> None:
        await self.asking.http.aclose()

    async def _others(self, order: Order) -> Sequence[Rule]:
        there = await self.policy.holding(order.kind, order.scope_kind, order.scope_id)
        return [rule for rule in there if rule.key != order.key]

    async def _in_force(self, order: Order, rule: Rule) -> Result:
        seen, gates, _ = await self._look(order, rule)
        if (unclear := _unclear(seen, gates, rule)) is not None:
            return unclear
        if not (seen.held or seen.covered):
            return Result(E.NOT_IN_FORCE, f"{seen.words}. That is as if nothing had been done.")
        if seen.strangers:
            return Result(E.UNKNOWN, f"{seen.words}. Nobody but the subject should meet this: look at the gate.")
        covered = "" if seen.held else f" A stricter rule ({seen.incident}) stands before it."
        return Result(E.VERIFIED, f"{seen.words}.{covered} Held by {len(gates)} of {len(gates)} gates.")

    async def _gone(self, order: Order, rule: Rule | None) -> Result:
        seen, gates, others = await self._look(order, rule)
        if (unclear := _unclear(seen, gates, rule)) is not None:
            return unclear
        if not seen.held:
            return Result(E.REVERTED, f"{seen.words}.")
        if others:
            return Result(E.REVERTED, f"Our rule is gone. For {target(order)} nothing changes yet: {held_by(others)}")
        return Result(E.VERIFIED, f"{seen.words}. That is as if it were still in force.")

    async def _look(self, order: Order, rule: Rule | None) -> tuple[Seen, Sequence[GateReplica], Sequence[Rule]]:
        others = await self._others(order)
        stand = [*others, *([rule] if rule is not None else [])]
        seen = await look(
            self.asking,
            order,
            per_minute=max((one.per_minute for one in stand), default=0),
            texts=[one.text for one in stand],
            everyone=any(one.scope_kind is ScopeKind.EVERYONE for one in others),
        )
        return seen, await self.policy.gates(), others

    async def _settled(self, ask: Callable[[], Awaitable[Result]], wanted: Effect) -> Result:
        """Ask until it is so, or gates had their time."""
        until = time.monotonic() + SETTLES
        while True:
            result = await ask()
            if result.effect is wanted or time.monotonic() >= until:
                return result
            await asyncio.sleep(AGAIN)

    async def _within(
        self, act: Callable[[], Awaitable[Result]], *, busy: Effect = E.UNKNOWN, slow: Effect = E.UNKNOWN
    ) -> Result:
        """`busy`, `slow`: what it means that the store refused, or did not answer in time."""
        try:
            async with asyncio.timeout(self.seconds):
                return await act()
        except Busy as error:
            return Result(E.UNKNOWN if error.unknown else busy, str(error))
        except TimeoutError:
            return Result(slow, "The store did not answer in time: nothing is known of it.")


def _unclear(seen: Seen, gates: Sequence[GateReplica], rule: Rule | None) -> Result | None:
    """What keeps the behaviour of one gate from being believed of all."""
    if seen.held is None:
        return Result(E.UNKNOWN, f"The gate could not be asked: {seen.words}.")
    if not gates:
        return Result(E.UNKNOWN, f"{seen.words}. But no gate says that it follows the policy: are they running?")
    behind = [gate for gate in gates if rule is not None and gate.version < rule.version]
    if behind:
        where = ", ".join(gate.address for gate in behind[:3])
        held = f"{len(gates) - len(behind)} of {len(gates)} gates"
        return Result(E.UNKNOWN, f"{seen.words}. Only {held} hold this version of the policy; {where} does not yet.")
    return None
