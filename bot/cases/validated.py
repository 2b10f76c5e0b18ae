"""A run of a validation ended: what is stored of it, and what follows. In the room, for the fix, for a closed incident.

Decides that only a run that verified the fix without containment moves the incident on, and that an attack which succeeds
against a closed incident opens it again. What the trials prove is `bot.validation.verdict`'s.
"""

from __future__ import annotations

from dataclasses import replace

from sqlmodel import select

from bot.cases import regression
from bot.cases.context import Context
from bot.cases.hushed import listen
from bot.cases.reached import reached
from bot.cases.reopen import moved
from bot.cases.runs import tell
from bot.incident import lifecycle
from bot.incident.columns import Json
from bot.incident.incident import SYSTEM, Incident
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.validation import ValidationRun
from bot.incident.words import RunState, Status, StepButton, StepState, Verdict
from bot.incident.work import Step
from bot.store import Unit, validations
from bot.validation.report import Report

MEANWHILE = (
    "Containment that reaches the test's identity was in force meanwhile, so it is not known that the fix holds alone."
)


async def finish(ctx: Context, run_id: int, owner: str, report: Report) -> bool:
    """Store what the run came to, with what follows from it. False where it is another process's by now, or was stopped."""
    async with ctx.store.unit() as unit:
        incident, run = await validations.locked(unit, run_id)
        if run.lease_owner != owner or run.state is not RunState.RUNNING:
            return False
        report = await _with_containment(ctx, unit, incident, run, report)
        run.verdict, run.reason = report.verdict, clip(redact(report.summary), 1000)
        run.target_version = clip(report.target_version, 200) if report.target_version else run.target_version
        run.contained_meanwhile = report.under_containment
        await _end(ctx, unit, incident, run, report.as_json())
        if report.proves_fix and incident.ended_at is None:
            await _remediated(unit, incident, run)
        return True


async def give_up(ctx: Context, run_id: int, owner: str, why: str) -> bool:
    """It cannot be carried out at all: the target is gone from the file, the pack from the vault. Inconclusive, in words."""
    async with ctx.store.unit() as unit:
        incident, run = await validations.locked(unit, run_id)
        if run.lease_owner != owner or run.state is not RunState.RUNNING:
            return False
        run.verdict, run.reason = Verdict.INCONCLUSIVE, f"INCONCLUSIVE: {clip(redact(why), 900)}"
        told = {
            "reasons": [clip(redact(why), 900)],
            "summary": run.reason,
            "verdict": run.verdict.value,
            "payloads": [],
        }
        await _end(ctx, unit, incident, run, told)
        return True


async def _with_containment(ctx: Context, unit: Unit, incident: Incident, run: ValidationRun, report: Report) -> Report:
    """Containment may have come and gone between the two moments at which the engine asks."""
    if report.under_containment:
        return report
    target = ctx.org.targets.get(run.target)
    identity = target.user if target is not None else ""
    if not run.contained_meanwhile and not await reached(unit.session, incident, identity, since=run.started_at):
        return report
    return replace(report, under_containment=True, reasons=(*report.reasons, MEANWHILE))


async def _end(ctx: Context, unit: Unit, incident: Incident, run: ValidationRun, report: Json) -> None:
    run.state, run.finished_at = RunState.FINISHED, unit.now
    run.lease_owner = run.lease_until = None
    await listen(unit, run)
    run.report = {**report, "excerpts": run.report.get("excerpts", {})}
    verdict = run.verdict or Verdict.INCONCLUSIVE
    unit.record(
        incident,
        Happened.VALIDATED,
        SYSTEM,
        run=run.id,
        verdict=verdict.value,
        target=run.target,
        version=run.target_version,
        pack=run.pack,
        contained=run.contained_meanwhile,
        reason=run.reason,
    )
    if run.regression:
        await regression.ended(ctx, unit, incident, run)
    else:
        await tell(unit, incident, run)


async def _remediated(unit: Unit, incident: Incident, run: ValidationRun) -> None:
    """The fix is proven: the incident moves on, and the steps that ask for this proof are done."""
    if incident.status is Status.CONTAINED:
        before = incident.status
        lifecycle.move(incident, Status.REMEDIATED, unit.now)
        moved(unit, incident, SYSTEM, before, reason=f"validation {run.id} verified the fix")
    asking = select(Step).where(
        Step.incident == incident.number,
        Step.button == StepButton.START_VALIDATION,
        Step.state == StepState.OPEN,
    )
    note = f"Validation {run.id} verified the fix."
    for step in (await unit.session.exec(asking)).all():
        step.state, step.decided_by, step.decided_at, step.note = StepState.DONE, SYSTEM.id, unit.now, note
        unit.record(incident, Happened.STEP_DONE, SYSTEM, step=step.step_id, text=step.text, note=note)
