"""A phase begins: its checklist is posted, once."""

from __future__ import annotations

from sqlmodel import select

from bot.incident.incident import SYSTEM, Incident
from bot.incident.outward import Surface, SurfaceKind
from bot.incident.timeline import Happened
from bot.incident.words import Phase
from bot.store import Unit


async def begin(unit: Unit, incident: Incident, phase: Phase) -> None:
    """Want the phase's checklist in the room. A phase that began already is left alone."""
    await unit.flush()
    begun = select(Surface).where(
        Surface.incident == incident.number, Surface.kind == SurfaceKind.CHECKLIST, Surface.part == phase
    )
    if (await unit.session.exec(begun)).first() is None:
        unit.record(incident, Happened.PHASE_BEGAN, SYSTEM, phase=phase.value)
        await unit.show(incident, SurfaceKind.CHECKLIST, phase)
