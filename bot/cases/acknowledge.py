"""Somebody acknowledges: the escalation stops, containment begins."""

from __future__ import annotations

from sqlmodel import col

from bot.cases.contained import settle
from bot.cases.context import Context
from bot.cases.opening import invite
from bot.cases.people import member
from bot.cases.phases import begin
from bot.incident import lifecycle
from bot.incident.caller import Caller
from bot.incident.errors import Refused
from bot.incident.outward import Reminder, ReminderKind
from bot.incident.timeline import Happened
from bot.incident.words import Phase, Status
from bot.store import queries


async def acknowledge(ctx: Context, caller: Caller, number: int) -> str:
    """Raises Refused where somebody did before (naming who and when), or the incident has ended."""
    user = member(caller)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        if not incident.unacknowledged and incident.acknowledged_at is not None:
            first = await queries.last_entry(unit.session, number, Happened.ACKNOWLEDGED)
            who = f" by <@{first.actor}> at {first.at:%H:%M} UTC" if first else ""
            raise Refused(f"{incident.name} was acknowledged{who}. {lifecycle.NEXT_STEP[incident.status]}")
        lifecycle.move(incident, Status.ACKNOWLEDGED, unit.now)
        unit.record(incident, Happened.ACKNOWLEDGED, caller.actor)
        await unit.stop_reminders(incident, where=[col(Reminder.kind) == ReminderKind.ACKNOWLEDGE])
        await invite(unit, incident, user, why="acknowledged")
        await begin(unit, incident, Phase.CONTAINMENT)
        await settle(ctx, unit, incident)
        return unit.answer(f"You acknowledged {incident.name}. Next: *Take command*, or ask somebody to.")
