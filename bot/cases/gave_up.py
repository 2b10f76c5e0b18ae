"""An outward act was given up: it is said in the room and on the timeline, never swallowed (design law 15)."""

from __future__ import annotations

from bot.incident.errors import NotFound
from bot.incident.incident import SYSTEM
from bot.incident.outward import IntentKind
from bot.incident.timeline import Happened
from bot.store import Unit
from bot.store.intents import Claim

UNSAID = frozenset({IntentKind.POST, IntentKind.OPEN_ROOM})
"""What cannot be said in the room: the saying itself, and where there is no room."""


async def gave_up(unit: Unit, claim: Claim, why: str) -> None:
    """Called by the runner in the transaction that ends the intent."""
    if claim.incident is None:
        return
    try:
        incident = await unit.incident(claim.incident)
    except NotFound:  # deleted by hand: there is nobody left to tell
        return
    unit.record(incident, Happened.GAVE_UP, SYSTEM, intent=claim.kind.value, why=why)
    if claim.kind not in UNSAID:
        args = {"message": "gave_up", "intent": claim.kind.value, "why": why}
        await unit.intend(IntentKind.POST, f"post:gave_up:{claim.id}:{claim.generation}", incident=incident, args=args)
