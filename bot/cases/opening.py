"""An incident opens: the one place where its row, its steps, its plan, its reminders and its first intents are written.

Decides what every incident starts with. Whether one opens at all is decided by `declare` (a person) and `receive` (an alert).
"""

from __future__ import annotations

from collections.abc import Collection

from bot.cases import monitoring, phases, similar
from bot.cases.context import Context
from bot.cases.first_hour import plan_reminders, respond_by
from bot.cases.propose import first_plan
from bot.incident.columns import Json
from bot.incident.incident import Actor, Incident
from bot.incident.outward import IntentKind, SurfaceKind
from bot.incident.timeline import Happened
from bot.incident.words import ActorKind, Phase, StepState
from bot.incident.work import Step
from bot.playbook.checklist import Step as ComposedStep
from bot.store import Unit, alike


async def open_incident(
    ctx: Context, unit: Unit, incident: Incident, actor: Actor, *, source: str, at_stake: Collection[str] = ()
) -> None:
    """Write everything that an opening means, in the caller's transaction. `incident` is new and has its number.

    `at_stake`: what the evidence that comes with it says, see `stakes`. The row is there after this, the rest with the flush:
    each look at the store in between would write what there is so far, in a statement of its own.
    """
    incident.acknowledge_by = respond_by(ctx, incident, incident.declared_at)
    unit.add(incident)
    await unit.session.flush()
    unit.record(
        incident,
        Happened.OPENED,
        actor,
        title=incident.title,
        severity=incident.severity.label,
        trigger=incident.trigger,
        source=source,
    )
    await add_steps(ctx, unit, incident, known=frozenset())
    for kind in (SurfaceKind.CARD, SurfaceKind.PANEL, SurfaceKind.ANNOUNCEMENT):
        if kind is not SurfaceKind.ANNOUNCEMENT or incident.announced_by is None:
            await unit.show(incident, kind)
    await phases.opens(unit, incident, Phase.TRIAGE)
    await unit.intend(IntentKind.OPEN_ROOM, f"open_room:{incident.number}", incident=incident)
    if actor.kind is ActorKind.PERSON:
        await invite(unit, incident, actor.id, why="declared")
    await first_plan(ctx, unit, incident, at_stake)
    await plan_reminders(ctx, unit, incident)
    with unit.session.no_autoflush:
        if await alike.same_again(unit.session, incident):
            await monitoring.look(unit, incident)
            await similar.look_later(unit, incident)


async def add_steps(ctx: Context, unit: Unit, incident: Incident, *, known: frozenset[str]) -> None:
    """Add the steps that the playbook composes for the incident as it is now, but for those it has."""
    composed = ctx.playbook.steps(incident.severity, incident.trigger, incident.category, incident.scenario)
    for position, step in enumerate(composed):
        if step.id not in known:
            unit.want(Step, _step(ctx, unit, incident, position, step))


def _step(ctx: Context, unit: Unit, incident: Incident, position: int, step: ComposedStep) -> Json:
    due = None if step.due_minutes is None else ctx.minutes(step.due_minutes)
    from_phase = step.due_from == "phase"
    begins_now = unit.opens(incident) and step.phase is Phase.TRIAGE
    return {
        "incident": incident.number,
        "position": position,
        "step_id": step.id,
        "phase": step.phase,
        "section": step.section,
        "text": step.text,
        "role": step.role,
        "button": step.button,
        "action": step.action,
        "due_at": incident.declared_at + due if due is not None and (begins_now or not from_phase) else None,
        "due_after": int(due.total_seconds()) if due is not None and from_phase else None,
        "state": StepState.OPEN,
    }


async def invite(unit: Unit, incident: Incident, user: str, *, why: str) -> None:
    """Have one person invited to the room, once for each reason."""
    key = f"invite:{incident.number}:{user}:{why}"
    await unit.intend(IntentKind.INVITE, key, incident=incident, args={"people": [user]})
