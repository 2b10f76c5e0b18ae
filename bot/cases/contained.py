"""An incident is contained when its plan is decided and what was approved is verified, and no longer when the last of it
was reverted.

Decides when. Which moves are legal is `bot.incident.lifecycle`'s.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.cases import actions, wanted
from bot.cases.context import Context
from bot.cases.phases import begin
from bot.incident import lifecycle
from bot.incident.incident import SYSTEM, Incident
from bot.incident.timeline import Happened
from bot.incident.words import ActionState, Phase, Status
from bot.incident.work import Action
from bot.store import Unit

S = ActionState
UNSETTLED = frozenset({S.APPROVED, S.EXECUTING, S.UNKNOWN})
"""Somebody wants it in force and nobody knows that it is (design law 10)."""


async def settle(ctx: Context, unit: Unit, incident: Incident) -> None:
    """Contained: at least one action is verified, none is under way or unknown, and none waits for a decision (of two
    alternatives one is enough). Called whenever an action's state settles."""
    if incident.status is not Status.ACKNOWLEDGED:
        return
    every = await actions.every(unit, incident)
    states = {action.state for action in every}
    if S.VERIFIED not in states or states & UNSETTLED or any(_waits(action, every) for action in every):
        return
    lifecycle.move(incident, Status.CONTAINED, unit.now)
    said = {"from": Status.ACKNOWLEDGED.value, "to": Status.CONTAINED.value, "reason": "containment is verified"}
    unit.record(incident, Happened.STATUS_CHANGED, SYSTEM, **said)
    await begin(unit, incident, Phase.INVESTIGATION)
    await wanted.ask(ctx, unit, incident)


def _waits(action: Action, every: Sequence[Action]) -> bool:
    """Nobody has decided about it, nor about the action that it could stand for."""
    if action.state is not S.PROPOSED:
        return False
    others = (o for o in every if o.alternative_to is action.kind or action.alternative_to is o.kind)
    return not any(other.state is S.VERIFIED for other in others)


async def lapse(ctx: Context, unit: Unit, incident: Incident) -> None:
    """No longer contained: an action was reverted or turned out not to hold, and nothing is left that holds or may hold."""
    if incident.status is not Status.CONTAINED:
        return
    states = {action.state for action in await actions.every(unit, incident)}
    if states & (UNSETTLED | {S.VERIFIED}):
        return
    reason = "no containment action is in force any more"
    lifecycle.move(incident, Status.ACKNOWLEDGED, unit.now, reason=reason)
    said = {"from": Status.CONTAINED.value, "to": Status.ACKNOWLEDGED.value, "reason": reason}
    unit.record(incident, Happened.STATUS_CHANGED, SYSTEM, **said)
