"""Before an incident is resolved: that its fix is proven, or that the commander goes without a proof and says why.

Decides what is asked and what a waiver writes. Which run is a proof is `bot.incident.proof`'s.
"""

from __future__ import annotations

from bot.cases.people import holder_of
from bot.incident.caller import Caller
from bot.incident.errors import Refused
from bot.incident.incident import Incident
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import Role
from bot.store import Unit, validations

LONGEST = 1000


async def proven_or_waived(unit: Unit, incident: Incident, caller: Caller, waiver: str | None) -> None:
    """Raises Refused without a proof and without a waiver, and where anybody but the commander waives it."""
    found = await validations.proven(unit.session, incident)
    forget_waiver(incident)
    if found.proof is not None:
        return
    if not (waiver or "").strip():
        raise Refused(
            f"{incident.name} cannot be resolved yet: {found.lacking}. Replay the attack with `/incident validate`. Or the "
            "commander goes without a proof, for a reason that the review prints: press *Resolve* in the room, or "
            '`/incident resolve --waive "nothing to replay" …`.'
        )
    await holder_of(unit, incident, caller, Role.COMMANDER)
    incident.validation_waived_at, incident.validation_waived_by = unit.now, caller.actor.id
    incident.validation_waiver = clip(redact((waiver or "").strip()), LONGEST)
    unit.record(incident, Happened.VALIDATION_WAIVED, caller.actor, reason=incident.validation_waiver)


def forget_waiver(incident: Incident) -> None:
    """A waiver was for one resolution; the timeline keeps it."""
    incident.validation_waived_at = incident.validation_waived_by = incident.validation_waiver = None
