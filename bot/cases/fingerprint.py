"""An incident's payloads are remembered by their fingerprints, and found again in other incidents.

Decides what is kept; what counts as alike is `bot.incident.fingerprint`'s. What is done about a likeness is the asker's:
`similar` shows it, a recurrence is linked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.evidence import Fingerprint
from bot.incident.fingerprint import BANDS, fingerprints
from bot.incident.incident import Incident
from bot.incident.outward import Planned, ReminderKind
from bot.store import Unit
from bot.store import alike as queries

MOST_KEPT = 900
"""Values of one incident, some hundred payloads: an alert that fires all night adds no more."""
LOOK_AFTER = timedelta(seconds=20)
"""By then a room that opens stands, and all that was sent along has been read."""


async def remember(unit: Unit, incident: Incident, text: str, evidence_id: int | None) -> bool:
    """Keep by what the payload is known. The incident must be locked by this unit or new in it, the evidence flushed.

    Once for each value, however often it comes; a text that says too little leaves nothing.
    True where another incident has one of them: then the room is told soon after.
    """
    return await remember_all(unit, incident, [(text, evidence_id)])


async def remember_all(unit: Unit, incident: Incident, texts: Sequence[tuple[str, int | None]]) -> bool:
    """The same for several texts, each with the id of its evidence. Asks once."""
    kept = {row["value"] for row in unit.wanted(Fingerprint) if row["incident"] == incident.number}
    if not unit.opens(incident):
        mine = select(Fingerprint.value).where(Fingerprint.incident == incident.number)
        kept |= {*(await unit.session.exec(mine)).all()}
    values: dict[str, int | None] = {}
    for text, evidence_id in texts:
        for value in fingerprints(text):
            values.setdefault(value, evidence_id)
    new = [value for value in values if value not in kept][: max(0, MOST_KEPT - len(kept))]
    for value in new:
        row = {"incident": incident.number, "value": value, "evidence": values[value], "at": unit.now}
        unit.want(Fingerprint, row)
    if not new or incident.drill or not await queries.known_elsewhere(unit.session, incident.number, new):
        return False
    await tell_later(unit, incident)
    return True


async def tell_later(unit: Unit, incident: Incident) -> None:
    """Have the room told, once, of what is strongly alike (`similar.tell`). Nothing waits for that."""
    due = unit.now + LOOK_AFTER
    await unit.remind(
        Planned(f"{incident.number}:{ReminderKind.SIMILAR}", incident.number, ReminderKind.SIMILAR, due, {})
    )


async def alike(within: AsyncSession | Unit, incident: Incident) -> list[tuple[int, str]]:
    """Other incidents with the same payload or one like it: number and why, most alike first, then the latest. At most 50.

    Empty for a drill. Why is words of ours, with nothing of the payload in it.
    """
    if incident.drill:
        return []
    if isinstance(within, Unit):
        await within.flush()
    session = within.session if isinstance(within, Unit) else within
    return [(one.incident, why(one)) for one in await queries.sharing(session, incident.number)]


def why(shared: queries.Shared) -> str:
    if shared.same:
        return "the same payload"
    return f"a payload like its own ({min(shared.all, BANDS)} of {BANDS} marks)"
