"""A phase begins: its checklist is posted, once, and the due times that count from it are known."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, select

from bot.incident.incident import SYSTEM, Incident
from bot.incident.outward import Surface, SurfaceKind
from bot.incident.timeline import Happened
from bot.incident.words import Phase
from bot.incident.work import Step
from bot.store import Unit


async def begin(unit: Unit, incident: Incident, phase: Phase) -> None:
    """Want the phase's checklist in the room. A phase that began already is left alone."""
    await unit.flush()
    begun = select(Surface).where(
        Surface.incident == incident.number, Surface.kind == SurfaceKind.CHECKLIST, Surface.part == phase
    )
    if (await unit.session.exec(begun)).first() is not None:
        return
    unit.record(incident, Happened.PHASE_BEGAN, SYSTEM, phase=phase.value)
    await unit.show(incident, SurfaceKind.CHECKLIST, phase)
    steps = select(Step).where(Step.incident == incident.number, Step.phase == phase, col(Step.due_after).is_not(None))
    for step in (await unit.session.exec(steps)).all():
        step.due_at = unit.now + timedelta(seconds=step.due_after or 0)
