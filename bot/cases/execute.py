"""An approved action is carried out: by its connector, verified by behaviour, recorded as what it is (laws 8 to 10).

Decides the order of an attempt: check what was approved, look first where an earlier attempt may have acted, capture
evidence, apply, verify. What is written of the outcome is `outcome`'s; reverting is `undo`'s.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.cases import actions, blast, outcome, shared, undo
from bot.cases.attempt import ATTEMPTS, bounded, by, look
from bot.cases.context import Context
from bot.connectors import Connector, Effect, Nature, Order, Result
from bot.incident import approval
from bot.incident.incident import Incident
from bot.incident.outward import IntentKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionState
from bot.incident.work import Action
from bot.store import Unit
from bot.store.intents import Claim
from bot.store.runner import Done, Handler, Later, Never, Outcome

S = ActionState
E = Effect
SOON = timedelta(seconds=1)
SETTLES = frozenset({E.VERIFIED, E.UNKNOWN, E.ATTEST})


@dataclass(frozen=True)
class Ready:
    """What the outward part of an attempt needs, read in the unit that marked the action as executing."""

    connector: Connector
    order: Order
    look_first: bool
    captured: bool
    evidence_first: bool
    joined: bool
    """Another action is settled to hold the target under this key. Where that is not so any more, ours is a key of its own."""


def handlers(ctx: Context) -> Mapping[IntentKind, Handler]:
    return {
        IntentKind.EXECUTE: functools.partial(execute, ctx),
        IntentKind.REVERT: functools.partial(undo.carry_out, ctx),
        IntentKind.PLAN: functools.partial(blast.carry_out, ctx),
    }


async def execute(ctx: Context, claim: Claim) -> Outcome:
    """One attempt. `unknown` is asked about again later; whatever else came of it is recorded with the intent's end."""
    assert claim.incident is not None
    number, index = claim.incident, int(claim.args["action"])
    async with ctx.store.unit() as unit:
        incident, action = await shared.locked(unit, number, index)
        ready = await _begin(ctx, unit, incident, action, claim=claim)
    if not isinstance(ready, Ready):
        return ready
    result = await bounded(_act(ctx, number, index, ready))
    final = claim.attempt >= ATTEMPTS or result.effect not in {E.UNKNOWN, E.NOT_IN_FORCE}
    write = outcome.writer(ctx, number, index, ready.connector, result, final=final)
    if final:
        return Done(write)
    async with ctx.store.unit() as unit:
        await write(unit)
    return Later(result.detail, uncertain=True)


async def _begin(ctx: Context, unit: Unit, incident: Incident, action: Action, *, claim: Claim) -> Ready | Outcome:
    """Check again what was approved, and mark the action as executing before anything goes out."""
    if action.state not in {S.APPROVED, S.EXECUTING, S.UNKNOWN} or action.revert_asked_at is not None:
        return Done()
    connector = ctx.connectors.by_name.get(action.connector)
    why = await _forbidden(unit, incident, action, connector, digest=str(claim.args.get("digest")))
    if why is not None or connector is None:
        return Never(why or "", outcome.refusal(ctx, incident.number, action.index, why or ""))
    look_first = claim.uncertain or action.state is not S.APPROVED
    if action.state is S.APPROVED:
        for other in await shared.others(unit, action):
            if await shared.being_lifted(unit, other):
                return Later("the same target is being lifted for another action", after=SOON, counts=False)
        first = await shared.join(unit, action)
        look_first = look_first or first is not None
        held = {"held": shared.named(first, incident.number)} if first is not None else {}
        action.state, action.executed_at = S.EXECUTING, unit.now
        unit.record(incident, Happened.ACTION_EXECUTING, by(connector), **actions.facts(action), **held)
    evidence_first = ctx.playbook.actions[action.kind].evidence_first
    joined = await shared.settled_by_another(unit, action)
    return Ready(connector, shared.order_of(action), look_first, action.snapshot is not None, evidence_first, joined)


async def _forbidden(
    unit: Unit, incident: Incident, action: Action, connector: Connector | None, *, digest: str
) -> str | None:
    """Why this must not be carried out after all; None where it may."""
    if connector is None:
        return "Its connector is no longer in the organisation's file."
    if digest != action.digest:
        return "It is no longer what was approved."
    if not action.auto and not approval.complete(action, await actions.signatures(unit, action)):
        return "Its signatures are not for what is stored now."
    if not await actions.ordered(unit, incident, action):
        return "The timeline does not say that this was approved."
    if incident.drill and connector.nature is Nature.SYSTEM:
        return "This is a drill, and its connector reaches a real system."
    if incident.ended_at is not None and action.state is S.APPROVED:
        return "The incident ended before it was carried out."
    return None


async def _act(ctx: Context, number: int, index: int, ready: Ready) -> Result:
    connector, order = ready.connector, ready.order
    kept = ready.captured
    if ready.look_first:
        seen = await look(connector.verify, order, SETTLES) if ready.joined else await connector.verify(order)
        if seen.effect is not E.NOT_IN_FORCE:
            return seen
        if ready.joined:
            order, kept = await outcome.part(ctx, number, index, connector, seen.detail), False
    if not kept:
        captured = await connector.snapshot(order)
        if captured.effect is not E.CAPTURED and ready.evidence_first:
            return Result(E.FAILED, f"{captured.detail} Evidence comes first, so nothing was changed.")
        await outcome.keep(ctx, number, index, connector, captured, evidence=ready.evidence_first)
    applied = await connector.apply(order)
    if applied.effect in {E.FAILED, E.ATTEST}:
        return applied
    seen = await look(connector.verify, order, {E.VERIFIED, E.ATTEST})
    if seen.effect is E.NOT_IN_FORCE and applied.effect is E.APPLIED:
        return Result(E.FAILED, f"{applied.detail} {seen.detail} It is not contained.")
    if seen.effect is E.ATTEST:
        return Result(E.ATTEST, f"{applied.detail} {seen.detail}")
    return seen
