"""A phase begins: its checklist is posted, once, and the due times that count from it are known.

Triage begins with the incident, containment with the acknowledgement, investigation with containment, the review with the
resolution. Any of them begins earlier where the one before is done or where somebody says so.
"""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, select

from bot.cases.context import Context
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.errors import Refused
from bot.incident.incident import SYSTEM, Actor, Incident
from bot.incident.outward import Surface, SurfaceKind
from bot.incident.timeline import Happened
from bot.incident.words import Phase
from bot.incident.work import Step
from bot.store import Unit

STARTED_BY_PEOPLE = frozenset({Phase.CONTAINMENT, Phase.INVESTIGATION, Phase.REMEDIATION})


async def start(ctx: Context, caller: Caller, number: int, *, phase: Phase) -> str:
    """A person begins a phase. Raises Refused where the incident has ended or the phase began already."""
    member(caller)
    title = ctx.playbook.checklists[phase].title
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        if incident.ended_at is not None or phase not in STARTED_BY_PEOPLE:
            raise Refused(f"“{title}” cannot begin in {incident.name}: it has ended, or begins by itself.")
        if not await begin(unit, incident, phase, by=caller.actor):
            raise Refused(f"“{title}” has begun already; its checklist is in the room.")
        return unit.answer(f"“{title}” begins. Its checklist is coming.")


async def begin(unit: Unit, incident: Incident, phase: Phase, *, by: Actor = SYSTEM) -> bool:
    """Want the phase's checklist in the room. False: it began already and is left alone."""
    await unit.flush()
    begun = select(Surface).where(
        Surface.incident == incident.number, Surface.kind == SurfaceKind.CHECKLIST, Surface.part == phase
    )
    if (await unit.session.exec(begun)).first() is not None:
        return False
    await opens(unit, incident, phase, by=by)
    steps = select(Step).where(Step.incident == incident.number, Step.phase == phase, col(Step.due_after).is_not(None))
    for step in (await unit.session.exec(steps)).all():
        step.due_at = unit.now + timedelta(seconds=step.due_after or 0)
    return True


async def opens(unit: Unit, incident: Incident, phase: Phase, *, by: Actor = SYSTEM) -> None:
    """A phase that cannot have begun before. The due times of its steps are the caller's."""
    unit.record(incident, Happened.PHASE_BEGAN, by, phase=phase.value)
    await unit.show(incident, SurfaceKind.CHECKLIST, phase)
