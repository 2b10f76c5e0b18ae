"""A step is done, skipped, assigned, noted or undone. The second person to decide is told who was first."""

from __future__ import annotations

from sqlmodel import select

from bot.cases.context import Context
from bot.cases.people import member
from bot.cases.phases import begin
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, NotFound, Refused
from bot.incident.incident import Incident
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import StepState
from bot.incident.work import Step
from bot.store import Unit


async def done(ctx: Context, caller: Caller, number: int, *, step_id: str) -> str:
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident, step = await _step(unit, caller, number, step_id)
        _decide(unit, caller, step, StepState.DONE)
        unit.record(incident, Happened.STEP_DONE, caller.actor, step=step.step_id, text=step.text)
        await _next_phase(unit, incident, step)
        return unit.answer(f"Done: {step.text}")


async def skip(ctx: Context, caller: Caller, number: int, *, step_id: str, reason: str) -> str:
    """Raises Invalid without a reason: the review prints it."""
    why = _words(
        reason, "Say why the step is skipped.", "/incident step skip triage.scope no other model shares the prompt"
    )
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident, step = await _step(unit, caller, number, step_id)
        _decide(unit, caller, step, StepState.SKIPPED)
        step.note = why
        unit.record(incident, Happened.STEP_SKIPPED, caller.actor, step=step.step_id, text=step.text, reason=why)
        await _next_phase(unit, incident, step)
        return unit.answer(f"Skipped: {step.text}")


async def assign(ctx: Context, caller: Caller, number: int, *, step_id: str, owner: str) -> str:
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident, step = await _step(unit, caller, number, step_id)
        step.owner = owner
        unit.record(incident, Happened.STEP_ASSIGNED, caller.actor, step=step.step_id, text=step.text, owner=owner)
        return unit.answer(f"<@{owner}> owns: {step.text}")


async def annotate(ctx: Context, caller: Caller, number: int, *, step_id: str, text: str) -> str:
    words = _words(text, "The note is empty.", "/incident step note triage.scope only the support bot shares it")
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident, step = await _step(unit, caller, number, step_id)
        step.note = words
        unit.record(incident, Happened.STEP_NOTED, caller.actor, step=step.step_id, text=step.text, note=words)
        return unit.answer(f"Noted on: {step.text}")


async def undo(ctx: Context, caller: Caller, number: int, *, step_id: str) -> str:
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident, step = await _step(unit, caller, number, step_id)
        if step.state is StepState.OPEN:
            raise Refused("That step is open; there is nothing to undo.")
        step.state, step.decided_by, step.decided_at = StepState.OPEN, None, None
        unit.record(incident, Happened.STEP_UNDONE, caller.actor, step=step.step_id, text=step.text)
        return unit.answer(f"Open again: {step.text}")


async def _step(unit: Unit, caller: Caller, number: int, step_id: str) -> tuple[Incident, Step]:
    member(caller)
    incident = await unit.incident(number)
    wanted = select(Step).where(Step.incident == number, Step.step_id == step_id.strip().casefold())
    step = (await unit.session.exec(wanted)).one_or_none()
    if step is None:
        raise NotFound(f"{incident.name} has no such step. `/incident step list` shows them.")
    return incident, step


def _decide(unit: Unit, caller: Caller, step: Step, state: StepState) -> None:
    if step.state is not StepState.OPEN:
        at = f" at {step.decided_at:%H:%M} UTC" if step.decided_at else ""
        raise Refused(f"<@{step.decided_by}> marked that step as {step.state}{at}. Undo it first to decide anew.")
    step.state, step.decided_by, step.decided_at = state, caller.actor.id, unit.now


async def _next_phase(unit: Unit, incident: Incident, step: Step) -> None:
    """The last open step of a phase was decided: the next one begins."""
    await unit.flush()
    left = select(Step.id).where(
        Step.incident == incident.number, Step.phase == step.phase, Step.state == StepState.OPEN
    )
    if step.phase.next is not None and incident.ended_at is None and (await unit.session.exec(left)).first() is None:
        await begin(unit, incident, step.phase.next)


def _words(text: str, problem: str, example: str) -> str:
    if not text.strip():
        raise Invalid(problem, example=example)
    return clip(redact(text.strip()), 1000)
