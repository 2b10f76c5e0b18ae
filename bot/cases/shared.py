"""One target, contained by more than one action: in several incidents, or twice in one.

Decides that the system holds it once, under the key of whoever came first, and that it is lifted when the last of them is
reverted. The incidents are locked in the order of their numbers, so that of two who revert at once exactly one is the last.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from sqlmodel import col, select

from bot.cases import actions
from bot.connectors import Order
from bot.incident.incident import Incident
from bot.incident.outward import IntentKind
from bot.incident.words import ActionState
from bot.incident.work import Action
from bot.store import Unit

S = ActionState
HELD = frozenset({S.EXECUTING, S.VERIFIED, S.UNKNOWN})
"""The target is contained by it, or may be."""


def order_of(action: Action) -> Order:
    """The order as the system knows it: under the key of the action that contained the target first."""
    order = Order.of(action)
    return order if action.held_under is None else dataclasses.replace(order, key=action.held_under)


async def locked(unit: Unit, number: int, index: int) -> tuple[Incident, Action]:
    """The incident and its action, locked together with every incident that holds the same target. Raises NotFound."""
    mine = select(Action.kind, Action.scope_kind, Action.scope_id, Action.connector)
    found = (await unit.session.exec(mine.where(Action.incident == number, Action.index == index))).first()
    numbers = {number}
    if found is not None:
        kind, scope_kind, scope_id, connector = found
        others = select(Action.incident).where(
            Action.scope_id == scope_id,
            Action.scope_kind == scope_kind,
            Action.kind == kind,
            Action.connector == connector,
            col(Action.state).in_(HELD),
        )
        numbers |= set((await unit.session.exec(others)).all())
    incidents = {one: await unit.incident(one) for one in sorted(numbers)}
    return incidents[number], await actions.find(unit, incidents[number], index)


async def others(unit: Unit, action: Action, states: Collection[ActionState] = HELD) -> Sequence[Action]:
    """Other actions that hold the same target, the first to do so first."""
    wanted = select(Action).where(
        Action.scope_id == action.scope_id,
        Action.scope_kind == action.scope_kind,
        Action.kind == action.kind,
        Action.connector == action.connector,
        Action.id != action.id,
        col(Action.state).in_(states),
    )
    order = (col(Action.executed_at), col(Action.id))
    found = await unit.session.exec(wanted.order_by(*order).execution_options(populate_existing=True))
    return found.all()


async def being_lifted(unit: Unit, action: Action) -> bool:
    """The system is being told to lift it at this moment."""
    return action.revert_asked_at is not None and await actions.in_hand(unit, action, IntentKind.REVERT)


async def join(unit: Unit, action: Action) -> Action | None:
    """Take part in what holds the target already: under the same key, to go back to the same earlier state."""
    first = next(iter(await others(unit, action)), None)
    if first is not None:
        action.held_under = key_of(first)
        action.snapshot = first.snapshot
    return first


async def settled_by_another(unit: Unit, action: Action) -> bool:
    """Another action holds the target under the key that ours takes part in, and nobody is at work on that."""
    sharing = [one for one in await others(unit, action) if key_of(one) == action.held_under]
    settled = [
        one
        for one in sharing
        if one.state is not S.EXECUTING and not await actions.in_hand(unit, one, IntentKind.EXECUTE)
    ]
    return bool(settled) and len(settled) == len(sharing)


def key_of(action: Action) -> str:
    return action.held_under or action.key


async def earlier_state(unit: Unit, action: Action) -> Action | None:
    """Whoever holds the target under the same key and kept the state from before it was contained."""
    sharing = (one for one in await others(unit, action) if key_of(one) == key_of(action))
    return next((one for one in sharing if one.snapshot is not None), None)


def named(action: Action, incident: int) -> str:
    """`INC-7 (its action 2)`, or `action 2` within the same incident."""
    return (
        f"action {action.index}"
        if action.incident == incident
        else f"INC-{action.incident} (its action {action.index})"
    )
