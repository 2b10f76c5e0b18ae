"""An update for the stakeholders: the announcement shows it, everybody outside the room reads it."""

from __future__ import annotations

from bot.cases.context import Context
from bot.cases.people import holder_of
from bot.cases.storm import own_line
from bot.incident.caller import Caller
from bot.incident.errors import Invalid
from bot.incident.incident import StakeholderUpdate
from bot.incident.redact import redact
from bot.incident.timeline import Happened
from bot.incident.words import Role

LONGEST = 1000


async def update(ctx: Context, caller: Caller, number: int, *, text: str) -> str:
    """Raises Refused for anybody but the commander and the communications lead, Invalid on empty or overlong text."""
    if not text.strip() or len(text) > LONGEST:
        raise Invalid(
            f"An update needs 1 to {LONGEST} characters; this one has {len(text.strip())}.",
            example="/incident update Contained; no customer action is needed",
            field="text",
        )
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        await holder_of(unit, incident, caller, Role.COMMANDER, Role.COMMUNICATIONS_LEAD)
        public = redact(text.strip())
        unit.add(StakeholderUpdate(incident=number, text=public, by=caller.actor.id, at=unit.now))
        incident.briefed_at = incident.briefed_at or unit.now
        await own_line(unit, incident)
        unit.record(incident, Happened.UPDATE_POSTED, caller.actor, text=public)
        return unit.answer(f"The update on {incident.name} is out. Stakeholders read it in the announcement.")
