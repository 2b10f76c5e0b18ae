"""What waits for a decision is put before the commander in a direct message, too: one message for each batch.

Decides when a batch begins: nothing before it waits any more, or somebody else takes command. The message is a surface,
so it is kept current like those of the room; what it shows is its card's (`bot.slack.cards.decisions`).
"""

from __future__ import annotations

from sqlmodel import select

from bot.cases import actions
from bot.incident.incident import Incident
from bot.incident.outward import Surface, SurfaceKind
from bot.incident.words import ActionState, Role
from bot.store import Unit, queries


async def ask_commander(unit: Unit, incident: Incident, *, new: int | None = None) -> None:
    """Have the commander asked. `new`: the first action that was proposed just now; None where command was taken.

    Nothing is sent where nobody has taken command or nothing waits: whoever takes it later is asked then.
    """
    await unit.flush()
    commander = (await queries.held_in(unit.session, [incident.number], Role.COMMANDER)).get(incident.number)
    if commander is None:
        return
    waiting = [one.index for one in await actions.every(unit, incident) if one.state is ActionState.PROPOSED]
    fresh = [index for index in waiting if new is None or index >= new]
    if not fresh:
        return
    begun = await _batches(unit, incident, commander)
    if new is not None and begun and any(begun[-1] <= index < new for index in waiting):
        return  # the message that asks about those asks about this one too
    await unit.show(incident, SurfaceKind.DECISIONS, f"{commander}:{fresh[0]}")


async def _batches(unit: Unit, incident: Incident, commander: str) -> list[int]:
    """The first actions of the batches that this person was asked about, in order."""
    mine = select(Surface.part).where(Surface.incident == incident.number, Surface.kind == SurfaceKind.DECISIONS)
    parts = (await unit.session.exec(mine)).all()
    return sorted(int(first) for who, _, first in (part.partition(":") for part in parts) if who == commander)
