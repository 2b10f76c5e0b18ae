"""Somebody presses Join: they are invited where they may see the room."""

from __future__ import annotations

from bot.cases.context import Context
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.outward import IntentKind
from bot.incident.timeline import Happened


async def join(ctx: Context, caller: Caller, number: int) -> str:
    """Raises Refused for a guest: a room shows what an attacker got hold of."""
    user = member(caller)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        unit.record(incident, Happened.JOINED, caller.actor, person=user)
        key = f"invite:{number}:{user}:joined:{incident.head_seq}"
        await unit.intend(IntentKind.INVITE, key, incident=incident, args={"people": [user]})
        room = f"<#{incident.channel_id}>" if incident.channel_id else "its room, as soon as it is open"
        return unit.answer(f"You are invited to {room}.")
