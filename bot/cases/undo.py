"""A revert that somebody asked for is carried out: the connector undoes it, and behaviour proves it (design law 10).

Decides the order (what was done last is undone first), what is left to another action that holds the same target, and what
is written. What cannot be undone stays in force, and the room is told. Who may ask is `revert`'s.
"""

from __future__ import annotations

from datetime import timedelta

from bot.cases import actions, shared
from bot.cases.attempt import ATTEMPTS, bounded, by, look
from bot.cases.contained import lapse, settle
from bot.cases.context import Context
from bot.cases.revert import REVERTABLE, reverted
from bot.connectors import Connector, Effect, Nature, Order, Result
from bot.incident.columns import Json
from bot.incident.incident import SYSTEM, Incident
from bot.incident.outward import IntentKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionState
from bot.incident.work import Action
from bot.store import Unit
from bot.store.intents import Claim
from bot.store.runner import Done, Later, Never, Outcome, Record

S = ActionState
E = Effect
SOON = timedelta(seconds=1)


async def carry_out(ctx: Context, claim: Claim) -> Outcome:
    """One attempt to revert. Looks first where an earlier one may have acted; what is unknown is asked about again."""
    assert claim.incident is not None
    number, index, time = claim.incident, int(claim.args["action"]), int(claim.args["time"])
    async with ctx.store.unit() as unit:
        incident, action = await shared.locked(unit, number, index)
        settled = await _settled_within(ctx, unit, incident, action, time=time)
        if settled is not None:
            return settled
        connector = ctx.connectors.by_name.get(action.connector)
        order, snapshot = shared.order_of(action), action.snapshot
    if connector is None:
        gone = Result(E.FAILED, "Its connector is no longer in the organisation's file: undo it there by hand.")
        return Never(gone.detail, _writer(ctx, number, index, None, gone, time=time))
    result = await bounded(_undo(connector, order, snapshot, look_first=claim.uncertain))
    if result.effect is E.UNKNOWN and claim.attempt < ATTEMPTS:
        return Later(result.detail, uncertain=True)
    return Done(_writer(ctx, number, index, connector, result, time=time))


async def _settled_within(ctx: Context, unit: Unit, incident: Incident, action: Action, *, time: int) -> Outcome | None:
    """What needs no word to the system: nothing is to be undone, it must wait, or somebody else still holds the target."""
    if action.state not in REVERTABLE or action.revert_asked_at is None:
        return Done()
    if await actions.in_hand(unit, action, IntentKind.EXECUTE, leased=True):
        return Later("it is still being carried out")
    for one in await actions.every(unit, incident):
        if _after(one, action) and await shared.being_lifted(unit, one):
            return Later("what was done after it is undone first", after=SOON, counts=False)
    holders = await shared.others(unit, action)
    for one in holders:
        if one.state is not S.VERIFIED and await actions.in_hand(unit, one, IntentKind.EXECUTE):
            return Later("the same target is being contained for another action", after=SOON, counts=False)
    if not holders:
        return None
    await _leave_to(ctx, unit, incident, action, holders[0], time=time)
    return Done()


def _after(one: Action, action: Action) -> bool:
    """One was carried out after the action: of two that overlap, it saw the other in force."""
    if one.executed_at is None or action.executed_at is None or one.state not in REVERTABLE:
        return False
    return (one.executed_at, one.index) > (action.executed_at, action.index)


async def _leave_to(ctx: Context, unit: Unit, incident: Incident, action: Action, holder: Action, *, time: int) -> None:
    """For this incident it is over; the system is left as it is, because another action still wants it so."""
    action.result = (
        f"The target stays contained: {shared.named(holder, incident.number)} contains it as well, and lifts it when that "
        "is reverted."
    )
    reverted(unit, incident, action)
    said = {"result": action.result, "left_to": f"INC-{holder.incident}:{holder.index}"}
    unit.record(incident, Happened.ACTION_REVERTED, SYSTEM, **actions.facts(action), **said)
    await actions.tell(unit, incident, action, f"left_to_another_{time}")
    await lapse(ctx, unit, incident)
    await settle(ctx, unit, incident)


async def _undo(connector: Connector, order: Order, snapshot: Json | None, *, look_first: bool) -> Result:
    if look_first:
        seen = await connector.verify_revert(order)
        if seen.effect is not E.VERIFIED:
            return seen
    undone = await connector.revert(order, snapshot)
    if undone.effect in {E.FAILED, E.ATTEST}:
        return undone
    seen = await look(connector.verify_revert, order, {E.REVERTED, E.ATTEST})
    if seen.effect is E.ATTEST:
        return Result(E.ATTEST, f"{undone.detail} {seen.detail}")
    if seen.effect is E.VERIFIED:
        # After a yes it is a failure; after no answer the same key is sent again by the next attempt.
        effect = E.FAILED if undone.effect is E.APPLIED else E.UNKNOWN
        return Result(effect, f"{undone.detail} {seen.detail}")
    return seen


def _writer(ctx: Context, number: int, index: int, connector: Connector | None, result: Result, *, time: int) -> Record:
    async def write(unit: Unit) -> None:
        incident = await unit.incident(number)
        action = await actions.find(unit, incident, index)
        if action.state not in REVERTABLE or action.revert_asked_at is None:
            return
        match result.effect:
            case E.REVERTED:
                actor = by(connector) if connector else SYSTEM
                reverted(unit, incident, action)
                unit.record(incident, Happened.ACTION_REVERTED, actor, **actions.facts(action), result=result.detail)
                action.result = result.detail
                await lapse(ctx, unit, incident)
                await settle(ctx, unit, incident)
            case E.ATTEST:
                _asks(unit, incident, action, connector, result.detail)
                await actions.tell(unit, incident, action, f"revert_asked_{time}")
            case _:
                await _failed(unit, incident, action, connector, result, time=time)

    return write


def _asks(unit: Unit, incident: Incident, action: Action, connector: Connector | None, detail: str) -> None:
    """A person has to undo it, or has to look. Where a system was told to undo it, nobody knows whether it holds."""
    action.result = detail
    unit.refresh(incident)
    if connector is not None and connector.nature is not Nature.BY_HAND:
        action.state = S.UNKNOWN
        unit.record(incident, Happened.ACTION_UNKNOWN, by(connector), **actions.facts(action), result=detail)


async def _failed(
    unit: Unit, incident: Incident, action: Action, connector: Connector | None, result: Result, *, time: int
) -> None:
    """It remains in force, or nobody knows. It may be asked for again."""
    action.revert_asked_at = action.revert_asked_by = None
    if result.effect is E.UNKNOWN:
        action.state = S.UNKNOWN
        action.result = (
            f"{result.detail} Nobody knows whether it was reverted: look there, then attest or revert again."
        )
    else:
        action.result = f"{result.detail} It remains in force."
    actor = by(connector) if connector else SYSTEM
    unit.record(incident, Happened.REVERT_FAILED, actor, **actions.facts(action), result=action.result)
    await actions.tell(unit, incident, action, f"revert_failed_{time}")
