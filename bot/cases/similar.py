"""Incidents like this one: scored, with the reasons, the most alike first. A drill is like nothing.

Decides what a likeness is worth and which are strong enough to be said in a room that has just opened. What is looked at is
`bot.store.alike`'s, how it is shown is the room's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.cases import fingerprint
from bot.incident.columns import Json
from bot.incident.incident import Incident
from bot.incident.words import SubjectKind
from bot.store import Unit, alike

SAME_PAYLOAD, LIKE_PAYLOAD, SUBJECT, TRIGGER, APP, CATEGORY = 50, 35, 25, 20, 10, 5
"""Points. What the attacker sent tells most, then who it was; the kind of attack alone tells little."""
WITHIN = timedelta(days=365)
"""So far back a room that has just opened is told of a strong likeness."""
MOST_TOLD = 3


@dataclass(frozen=True)
class Similar:
    incident: Incident
    score: int
    why: tuple[str, ...]
    """Reasons in words of ours, the weightiest first."""
    strong: bool
    """The same payload or one like it, or the same trigger on the same subject."""


async def similar(session: AsyncSession, incident: Incident, *, recent: bool = False) -> list[Similar]:
    """The most alike first, then the latest. `recent`: of the last year only, counted from this one's declaration."""
    if incident.drill:
        return []
    shared = {one.incident: one for one in await alike.sharing(session, incident.number)}
    after = incident.declared_at - WITHIN if recent else None
    others = await alike.resembling(session, incident, also=list(shared), after=after)
    scored = (_scored(incident, other, shared) for other in others)
    return sorted(scored, key=lambda one: (-one.score, -one.incident.number))


def _scored(incident: Incident, other: Incident, shared: Mapping[int, alike.Shared]) -> Similar:
    payload = shared.get(other.number)
    who = (incident.subject_kind, incident.subject_id)
    subject = SubjectKind.UNKNOWN is not who[0] and who[1] is not None and who == (other.subject_kind, other.subject_id)
    trigger = incident.trigger is not None and incident.trigger == other.trigger
    app = incident.app is not None and incident.app == other.app
    category = incident.category is not None and incident.category is other.category
    points = [
        (SAME_PAYLOAD if payload.same else LIKE_PAYLOAD, fingerprint.why(payload)) if payload else (0, ""),
        (SUBJECT * subject, "the same subject"),
        (TRIGGER * trigger, "the same trigger"),
        (APP * app, "the same application"),
        (CATEGORY * category, "the same kind of attack"),
    ]
    score, why = sum(worth for worth, _ in points), tuple(words for worth, words in points if worth)
    return Similar(other, score, why, strong=payload is not None or (trigger and subject))


async def look_later(unit: Unit, incident: Incident) -> None:
    """Have the room told soon where the same trigger fired on the same subject before. Called where an incident opens: one
    indexed question. A payload that was seen before is noticed by `fingerprint.remember`."""
    if incident.drill or incident.trigger is None or incident.subject_id is None:
        return
    if await alike.same_again(unit.session, incident, after=incident.declared_at - WITHIN):
        await fingerprint.tell_later(unit, incident)


async def tell(unit: Unit, incident: Incident) -> Json | None:
    """What the room is told; None where nothing is strongly alike."""
    strong = [one for one in await similar(unit.session, incident, recent=True) if one.strong]
    strong = [one for one in strong if one.incident.number != incident.recurrence_of]  # that is said by itself
    if not strong:
        return None
    named = [{"incident": one.incident.number, "why": list(one.why)} for one in strong[:MOST_TOLD]]
    return {"message": "similar_known", "similar": named, "count": len(strong)}
