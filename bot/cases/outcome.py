"""What came of an attempt to carry an action out, written down: verified, failed, unknown, or waiting for a person.

Decides the words in the timeline and when the room is told. What was done outside is `execute`'s.
"""

from __future__ import annotations

import json

from bot.cases import actions, shared
from bot.cases.attempt import by
from bot.cases.contained import lapse, settle
from bot.cases.context import Context
from bot.cases.evidence import New, add
from bot.connectors import Connector, Effect, Nature, Order, Result
from bot.incident.incident import SYSTEM, Incident
from bot.incident.timeline import Happened
from bot.incident.words import ActionState, EvidenceKind
from bot.incident.work import Action
from bot.store import Unit
from bot.store.runner import Record

S = ActionState
E = Effect
OPEN = frozenset({S.APPROVED, S.EXECUTING, S.UNKNOWN})


def writer(ctx: Context, number: int, index: int, connector: Connector, result: Result, *, final: bool) -> Record:
    """The record of an attempt. `final`: no further attempt follows, so what is unknown stays so and the room is told."""

    async def write(unit: Unit) -> None:
        incident = await unit.incident(number)
        action = await actions.find(unit, incident, index)
        if action.state not in OPEN:  # a person attested to it meanwhile
            return
        match result.effect:
            case E.VERIFIED:
                _verified(unit, incident, action, connector, result.detail)
            case E.ATTEST:
                await _asks(unit, incident, action, connector, result.detail)
            case E.UNKNOWN:
                await _unknown(unit, incident, action, connector, result.detail, final=final)
            case E.NOT_IN_FORCE if not final:
                await _unknown(unit, incident, action, connector, result.detail, final=False)
            case _:
                await _failed(unit, incident, action, connector, result.detail)
        await settle(ctx, unit, incident)

    return write


def refusal(ctx: Context, number: int, index: int, why: str) -> Record:
    """The record of an action that must not be carried out after all, or not any further: then nobody knows what holds."""

    async def write(unit: Unit) -> None:
        incident = await unit.incident(number)
        action = await actions.find(unit, incident, index)
        if action.state is S.APPROVED:
            action.state, action.result = (
                S.FAILED,
                f"{why} Nothing was changed. Propose it again if it is still needed.",
            )
            kind = Happened.ACTION_FAILED
        else:
            action.state, action.result = S.UNKNOWN, f"{why} It had begun: look there, then attest or revert."
            kind = Happened.ACTION_UNKNOWN
        unit.record(incident, kind, SYSTEM, **actions.facts(action), result=action.result)
        await actions.tell(unit, incident, action, action.state.value)
        await settle(ctx, unit, incident)

    return write


async def keep(
    ctx: Context, number: int, index: int, connector: Connector, captured: Result, *, evidence: bool
) -> None:
    """Store what reverting needs before anything is changed, and as evidence where the action would destroy it (law 9)."""
    async with ctx.store.unit() as unit:
        incident = await unit.incident(number)
        action = await actions.find(unit, incident, index)
        first = await shared.earlier_state(
            unit, action
        )  # two may have begun at once; the first to store it saw it before
        action.snapshot = first.snapshot if first is not None else captured.snapshot or {}
        if not evidence or not captured.snapshot:
            return
        content = json.dumps(captured.snapshot, sort_keys=True, ensure_ascii=False).encode()
        snapshot = New(
            EvidenceKind.SNAPSHOT,
            f"before-action-{index}.json",
            content,
            connector.name,
            media_type="application/json",
            origin={"action": index},
            captured_at=unit.now,
            excerpt=captured.detail,
        )
        await add(unit, incident, by(connector), snapshot)


async def part(ctx: Context, number: int, index: int, connector: Connector, detail: str) -> Order:
    """The target that others were said to hold is not contained: that is their failure, and ours goes under its own key."""
    async with ctx.store.unit() as unit:
        incident, action = await shared.locked(unit, number, index)
        for one in await shared.others(unit, action):
            if shared.key_of(one) == action.held_under:
                theirs = await unit.incident(one.incident)
                where = shared.named(action, one.incident)
                await _failed(
                    unit, theirs, one, connector, f"{where} looked again: it is not in force any more. {detail}"
                )
                await lapse(ctx, unit, theirs)
        action.held_under = action.snapshot = None
        unit.refresh(incident)
        return shared.order_of(action)


def _verified(unit: Unit, incident: Incident, action: Action, connector: Connector, detail: str) -> None:
    action.state, action.verified_at, action.result = S.VERIFIED, unit.now, detail
    unit.record(incident, Happened.ACTION_VERIFIED, by(connector), **actions.facts(action), result=detail)


async def _asks(unit: Unit, incident: Incident, action: Action, connector: Connector, detail: str) -> None:
    """A person has to do it, or has to look. By hand it is under way until they attest; otherwise it is not known."""
    if connector.nature is Nature.BY_HAND:
        action.result = detail
        unit.refresh(incident)
        await actions.tell(unit, incident, action, "executing")
        return
    await _unknown(unit, incident, action, connector, detail, final=True)


async def _unknown(
    unit: Unit, incident: Incident, action: Action, connector: Connector, detail: str, *, final: bool
) -> None:
    first, action.state, action.result = action.state is not S.UNKNOWN, S.UNKNOWN, detail
    if first:
        unit.record(incident, Happened.ACTION_UNKNOWN, by(connector), **actions.facts(action), result=detail)
    if final:
        action.result = f"{detail} Nobody knows whether it is in force: look there, then attest or revert."
        unit.refresh(incident)
        await actions.tell(unit, incident, action, "unknown")


async def _failed(unit: Unit, incident: Incident, action: Action, connector: Connector, detail: str) -> None:
    action.state, action.result = S.FAILED, detail
    unit.record(incident, Happened.ACTION_FAILED, by(connector), **actions.facts(action), result=detail)
    await actions.tell(unit, incident, action, "failed")
