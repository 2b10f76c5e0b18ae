"""What is in force is undone from the room: a person asks, the connector undoes it, and behaviour proves it (law 10).

Decides who may ask and what is written. What cannot be undone stays in force, and the room is told.
"""

from __future__ import annotations

from sqlmodel import col, func, select

from bot.cases import actions
from bot.cases.attempt import ATTEMPTS, bounded, by, look
from bot.cases.contained import lapse, settle
from bot.cases.context import Context
from bot.cases.people import member
from bot.connectors import Connector, Effect, Nature, Order, Result
from bot.incident.caller import Caller
from bot.incident.columns import Json
from bot.incident.errors import Refused
from bot.incident.incident import SYSTEM, Incident
from bot.incident.outward import Intent, IntentKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionState
from bot.incident.work import Action
from bot.store import Unit
from bot.store.intents import Claim
from bot.store.runner import Done, Later, Never, Outcome, Record

S = ActionState
E = Effect
REVERTABLE = frozenset({S.VERIFIED, S.UNKNOWN})


async def ask_revert(ctx: Context, caller: Caller, number: int, *, index: int) -> str:
    """Have the action undone. Also after the incident ended. Raises Refused for who may not, or what cannot be undone."""
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        user, action = member(caller), await actions.find(unit, incident, index)
        _refuse_unless_revertable(action)
        await actions.approver(ctx, unit, incident, action, user)
        action.revert_asked_at, action.revert_asked_by = unit.now, user
        unit.record(incident, Happened.REVERT_ASKED, caller.actor, **actions.facts(action))
        time = await _times(unit, action) + 1
        args = {"action": index, "time": time}
        await unit.intend(IntentKind.REVERT, f"{_prefix(action)}{time}", incident=incident, args=args)
        return unit.answer(f"{actions.words(action)} is being reverted. The panel shows when that is verified.")


def _refuse_unless_revertable(action: Action) -> None:
    if action.revert_asked_at is not None:
        what = "was reverted" if action.state is S.REVERTED else "is being reverted already"
        raise Refused(
            f"{actions.words(action)} {what}: <@{action.revert_asked_by}> asked at {action.revert_asked_at:%H:%M} UTC."
        )
    if action.state not in REVERTABLE:
        raise Refused(f"{actions.words(action)} is {action.state.value}: there is nothing in force to revert.")
    if not action.reversible:
        raise Refused(f"{actions.words(action)} cannot be undone. Its approval said so.")


def _prefix(action: Action) -> str:
    return f"revert:{action.incident}:{action.index}:"


async def _times(unit: Unit, action: Action) -> int:
    """How often it was asked for: a revert that failed may be asked for again."""
    counted = select(func.count()).where(col(Intent.key).startswith(_prefix(action), autoescape=True))
    return int((await unit.session.exec(counted)).one())


async def carry_out(ctx: Context, claim: Claim) -> Outcome:
    """One attempt to revert. Looks first where an earlier one may have acted; what is unknown is asked about again."""
    assert claim.incident is not None
    number, index = claim.incident, int(claim.args["action"])
    async with ctx.store.unit() as unit:
        incident = await unit.incident(number)
        action = await actions.find(unit, incident, index)
        if action.state not in REVERTABLE or action.revert_asked_at is None:
            return Done()
        if await actions.in_hand(unit, f"execute:{number}:{index}", leased=True):
            return Later("it is still being carried out")
        connector = ctx.connectors.by_name.get(action.connector)
        order, snapshot = Order.of(action), action.snapshot
    time = int(claim.args["time"])
    if connector is None:
        gone = Result(E.FAILED, "Its connector is no longer in the organisation's file: undo it there by hand.")
        return Never(gone.detail, _writer(ctx, number, index, None, gone, time=time))
    result = await bounded(_undo(connector, order, snapshot, look_first=claim.uncertain))
    if result.effect is E.UNKNOWN and claim.attempt < ATTEMPTS:
        return Later(result.detail, uncertain=True)
    return Done(_writer(ctx, number, index, connector, result, time=time))


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


def reverted(unit: Unit, incident: Incident, action: Action) -> None:
    action.state, action.reverted_at = S.REVERTED, unit.now


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
