"""A proposal that nobody decided in time expires. Called by the reminder sweep, inside its transaction."""

from __future__ import annotations

from bot.cases import actions
from bot.cases.contained import settle
from bot.cases.context import Context
from bot.incident.incident import SYSTEM, Incident
from bot.incident.timeline import Happened
from bot.incident.words import ActionState
from bot.store import Unit


async def expire(ctx: Context, unit: Unit, incident: Incident, index: int) -> None:
    """Nothing happens to an action that was decided meanwhile, or that is not due yet."""
    action = await actions.find(unit, incident, index)
    due = action.expires_at is not None and action.expires_at <= unit.now
    if action.state is ActionState.PROPOSED and due:
        action.state = ActionState.EXPIRED
        unit.record(incident, Happened.ACTION_EXPIRED, SYSTEM, **actions.facts(action), digest=action.digest)
        await settle(ctx, unit, incident)
