"""A note for the timeline: what was seen, tried or decided."""

from __future__ import annotations

from bot.cases.context import Context
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.errors import Invalid
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened

LONGEST = 3000


async def note(ctx: Context, caller: Caller, number: int, *, text: str) -> str:
    """Raises Invalid on an empty or overlong note: nothing is cut silently from what an auditor will read."""
    member(caller)
    if not text.strip():
        raise Invalid("The note is empty.", example="/incident note the canary was in the second answer", field="text")
    if len(text) > LONGEST:
        raise Invalid(
            f"The note has {len(text)} characters, {LONGEST} fit. Split it, or add it as evidence.", field="text"
        )
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        unit.record(incident, Happened.NOTE, caller.actor, text=clip(redact(text.strip()), LONGEST))
        return unit.answer(f"Your note is on the timeline of {incident.name}.")
