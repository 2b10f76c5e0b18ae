"""A person says which kind of attack it was: the category and the techniques that were used (MITRE ATLAS, OWASP).

Decides what follows: the category's steps join the checklists, those of the category before that nobody touched go, and the
containment that it adds is proposed. Whoever classifies later is right; what was said before is in the timeline.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlmodel import col, delete, select

from bot.cases import questions
from bot.cases.context import Context
from bot.cases.opening import add_steps
from bot.cases.people import member
from bot.cases.phases import begin
from bot.cases.propose import plan
from bot.incident.caller import Caller
from bot.incident.incident import Incident
from bot.incident.outward import Surface, SurfaceKind
from bot.incident.timeline import Happened
from bot.incident.words import Category, Phase, StepState
from bot.incident.work import Step
from bot.playbook import tags as playbook_tags
from bot.playbook.asked import VECTORS
from bot.store import Unit


async def classify(
    ctx: Context,
    caller: Caller,
    number: int,
    *,
    category: Category,
    tags: str | None = None,
    vectors: str | None = None,
) -> str:
    """`tags`: ids apart by commas or spaces; None leaves them as they are, and so with `vectors`, which are words.

    Raises Invalid for an id that no list has (naming the nearest), Refused for a guest. After the end the checklists stay.
    """
    member(caller)
    known = playbook_tags.parse(ctx.playbook, tags) if tags is not None else None
    answers = {VECTORS: questions.stated(vectors)} if vectors and vectors.strip() else {}
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        before, kept = incident.category, incident.tags
        now = known if known is not None else kept or []
        answered = await questions.store(unit, incident, caller.actor, answers)
        title = ctx.playbook.categories[category].title
        if (before, kept) == (category, now):
            also = " What you wrote about the vectors is kept." if answered else ""
            return unit.answer(f"{incident.name} is classified as that already: {title}.{also}")
        incident.category, incident.tags = category, now
        unit.record(incident, Happened.CLASSIFIED, caller.actor, category=category.value, tags=now)
        changed = ""
        if before is not category and incident.ended_at is None:
            changed = _counted(*await _steps_follow(ctx, unit, incident, before))
            await plan(ctx, unit, incident)
        return unit.answer(f"{incident.name} is classified: {title}.{changed}")


def _counted(new: int, gone: int) -> str:
    parts = [f"{new} joined the checklists"] * bool(new) + [f"{gone} that nobody touched went"] * bool(gone)
    return f" Steps: {', '.join(parts)}." if parts else ""


async def _steps_follow(ctx: Context, unit: Unit, incident: Incident, before: Category | None) -> tuple[int, int]:
    """Returns how many steps joined, and how many went."""
    old = await _of(unit, incident)
    await add_steps(ctx, unit, incident, known=frozenset(old))
    severity, trigger, scenario = incident.severity, incident.trigger, incident.scenario
    earlier = {step.id for step in ctx.playbook.steps(severity, trigger, before, scenario)}
    wanted = [step.id for step in ctx.playbook.steps(severity, trigger, incident.category, scenario)]
    going = [step for step in old.values() if step.step_id in earlier - set(wanted) and _untouched(step)]
    await unit.session.exec(delete(Step).where(col(Step.id).in_([step.id for step in going])))
    steps = await _of(unit, incident)
    _in_order(steps, wanted)
    begun = await _begun(unit, incident)
    joined = [step for name, step in steps.items() if name not in old]
    for step in joined:
        _due(unit, incident, step, begun=step.phase in begun)
    await _go_on(unit, incident, steps, {step.phase for step in going} & begun)
    return len(joined), len(going)


async def _of(unit: Unit, incident: Incident) -> Mapping[str, Step]:
    await unit.flush()
    mine = select(Step).where(Step.incident == incident.number).order_by(col(Step.position), col(Step.id))
    return {step.step_id: step for step in (await unit.session.exec(mine)).all()}


def _untouched(step: Step) -> bool:
    return step.state is StepState.OPEN and step.owner is None and step.note is None


def _in_order(steps: Mapping[str, Step], wanted: list[str]) -> None:
    """As the playbook composes them; what is kept from before stays behind the step that it stood behind."""
    place = {name: position for position, name in enumerate(wanted)}
    last = 0
    for name, step in steps.items():
        last = step.position = place.get(name, last)


async def _begun(unit: Unit, incident: Incident) -> set[Phase]:
    shown = select(Surface.part).where(Surface.incident == incident.number, Surface.kind == SurfaceKind.CHECKLIST)
    return {Phase(part) for part in (await unit.session.exec(shown)).all()}


def _due(unit: Unit, incident: Incident, step: Step, *, begun: bool) -> None:
    """A step that joins late has its whole time from now: nobody is late with what they could not know of."""
    if step.due_at is not None and step.due_at <= unit.now:
        step.due_at = unit.now + (step.due_at - incident.declared_at)
    elif begun and step.due_at is None and step.due_after is not None:
        step.due_at = unit.now + timedelta(seconds=step.due_after)


async def _go_on(unit: Unit, incident: Incident, steps: Mapping[str, Step], phases: set[Phase]) -> None:
    """The last open step of a phase went: the next phase begins, as where somebody had done it."""
    for phase in phases:
        done = all(step.state is not StepState.OPEN for step in steps.values() if step.phase is phase)
        if done and phase.next is not None:
            await begin(unit, incident, phase.next)
