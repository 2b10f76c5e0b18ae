"""Somebody presses Join: they are invited where they may see the room."""

from __future__ import annotations

from bot.cases.context import Context
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.outward import IntentKind
from bot.incident.timeline import Happened
from bot.store import intents


async def join(ctx: Context, caller: Caller, number: int) -> str:
    """Raises Refused for a guest: a room shows what an attacker got hold of. Pressed again and again while Slack's limit holds
    the invitation back, it stays one."""
    user = member(caller)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        room = f"<#{incident.channel_id}>" if incident.channel_id else "its room, as soon as it is open"
        joins = f"invite:{number}:{user}:joined:"
        if await intents.waiting(unit, number, joins):
            return unit.answer(f"You are being invited to {room} already: Slack takes a moment.")
        unit.record(incident, Happened.JOINED, caller.actor, person=user)
        key = f"{joins}{incident.head_seq}"
        await unit.intend(IntentKind.INVITE, key, incident=incident, args={"people": [user]})
        return unit.answer(f"You are invited to {room}.")
