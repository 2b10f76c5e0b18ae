"""Somebody takes a role in the incident, or is given one."""

from __future__ import annotations

from bot.cases import handover
from bot.cases.ask_commander import ask_commander
from bot.cases.context import Context
from bot.cases.opening import invite
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.errors import Refused
from bot.incident.incident import Incident, RoleHeld
from bot.incident.timeline import Happened
from bot.incident.words import Role
from bot.store import Unit, queries


async def assign(ctx: Context, caller: Caller, number: int, *, role: Role, person: str) -> str:
    """Give the role to a person (yourself: take it). Raises Refused where somebody holds it and neither of you may pass it on."""
    user = member(caller)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        if incident.ended_at is not None:
            raise Refused(f"{incident.name} has ended; its roles stay as they were for the review.")
        holders = await queries.holders(unit.session, number)
        title, held = role.value.replace("_", " "), holders.get(role)
        if held is not None and held.person == person:
            raise Refused(f"<@{person}> is the {title} of {incident.name} already, since {held.since:%H:%M} UTC.")
        commander = holders.get(Role.COMMANDER)
        passed_on = role is Role.COMMANDER and await handover.offered(unit, incident, user, held)
        may = {held.person, commander.person if commander else held.person} if held is not None else set()
        if held is not None and user not in may and not (passed_on and person == user):
            raise Refused(
                f"<@{held.person}> took the role of {title} of {incident.name} at {held.since:%H:%M} UTC. "
                f"They can pass it on: `/incident role assign {role.value} @you`."
            )
        await _hold(unit, incident, caller, role, person, held)
        await invite(unit, incident, person, why=f"role:{role.value}")
        who = "You are" if person == user else f"<@{person}> is"
        return unit.answer(f"{who} the {title} of {incident.name}.")


async def _hold(unit: Unit, incident: Incident, caller: Caller, role: Role, person: str, held: RoleHeld | None) -> None:
    before = held.person if held else None
    if held is None:
        unit.add(RoleHeld(incident=incident.number, role=role, person=person, since=unit.now, by=caller.actor.id))
    else:
        held.person, held.since, held.by = person, unit.now, caller.actor.id
        unit.add(held)
    unit.record(incident, Happened.ROLE_TAKEN, caller.actor, role=role.value, person=person, before=before)
    if role is Role.COMMANDER:
        await ask_commander(unit, incident)
