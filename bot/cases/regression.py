"""Regression of closed incidents: their attack is replayed by the calendar, and one that succeeds opens them again.

Decides when, and what follows. Planned at closure, and only where a validation verified the fix and its target is still
configured; what a replay does is the same as in the room.
"""

from __future__ import annotations

from datetime import timedelta

import structlog
from sqlmodel import col, select

from bot.cases.context import Context
from bot.cases.first_hour import reminder
from bot.cases.reopen import open_again
from bot.cases.runs import planned, queue, tell
from bot.incident.columns import Json
from bot.incident.incident import SYSTEM, Incident
from bot.incident.outward import IntentKind, ReminderKind
from bot.incident.timeline import Happened
from bot.incident.validation import ValidationRun
from bot.incident.words import Status, Verdict
from bot.store import Unit, validations

log = structlog.get_logger()

AGAIN = "the attack succeeded again in validation {run}, against {target}"


async def plan(ctx: Context, unit: Unit, incident: Incident) -> None:
    """The incident was closed. Nothing for a drill, or where no validation proves the fix: nothing could get worse."""
    if incident.drill:
        return
    proof = (await validations.proven(unit.session, incident)).proof
    if proof is None or proof.target not in ctx.org.targets:
        return
    for days in ctx.playbook.validation.regression_days:
        due_at, args = unit.now + timedelta(days=days), {"run": proof.id}
        await unit.remind(reminder(incident, ReminderKind.REGRESSION_DUE, str(days), due_at=due_at, args=args))


async def due(ctx: Context, unit: Unit, incident: Incident, args: Json) -> None:
    """Replay what verified the fix, against the same target. Silent where that cannot be any more, or one goes on."""
    proof = await unit.session.get(ValidationRun, int(args["run"]))
    gone = proof is None or proof.target not in ctx.org.targets
    if proof is None or gone or incident.status not in {Status.RESOLVED, Status.CLOSED}:
        log.info("regression.skipped", incident=incident.number, target_gone=gone)
        return
    if await validations.going_on(unit.session, incident.number) is not None:
        return
    run = ValidationRun(
        incident=incident.number,
        target=proof.target,
        pack=proof.pack,
        plan=planned(ctx, incident.severity).as_json(),
        vulnerable_version=proof.vulnerable_version,
        regression=True,
        started_by=SYSTEM.id,
        started_at=unit.now,
        report={name: proof.report[name] for name in ("payloads_total", "excerpts") if name in proof.report},
    )
    await queue(ctx, unit, incident, run)
    said = {"run": run.id, "target": run.target, "pack": run.pack, "regression": True}
    unit.record(incident, Happened.VALIDATION_STARTED, SYSTEM, **said)


async def ended(ctx: Context, unit: Unit, incident: Incident, run: ValidationRun) -> None:
    """Verified again: the timeline says so, and nobody is disturbed. Succeeded: opened again. Anything else: told once."""
    if run.verdict is Verdict.VERIFIED and not run.contained_meanwhile:
        return
    if run.verdict is Verdict.INCOMPLETE and incident.status in {Status.RESOLVED, Status.CLOSED}:
        other = await _open_about(unit, incident)
        if other is None:
            await _reopen(ctx, unit, incident, run)
            return
        args: Json = {"message": "regressed_elsewhere", "run": run.id, "incident": incident.number}
        await unit.intend(IntentKind.POST, f"post:regressed:{run.id}", incident=other, args=args)
    await tell(unit, incident, run)


async def _open_about(unit: Unit, incident: Incident) -> Incident | None:
    """Another incident about the same thing that is open: this one cannot be opened beside it."""
    if incident.dedup_key is None:
        return None
    same = select(Incident).where(
        Incident.dedup_key == incident.dedup_key, col(Incident.ended_at).is_(None), Incident.number != incident.number
    )
    return (await unit.session.exec(same)).first()


async def _reopen(ctx: Context, unit: Unit, incident: Incident, run: ValidationRun) -> None:
    """The room is told, and the severity's people are called as an opening calls them. Stakeholders read it on the line of
    the incident, which says from now on that it is open again."""
    await open_again(ctx, unit, incident, SYSTEM, AGAIN.format(run=run.id, target=run.target))
    roles = list(ctx.playbook.severities[incident.severity].notify)
    key = f"invite:{incident.number}:reopened:{run.id}"
    await unit.intend(IntentKind.INVITE, key, incident=incident, args={"roles": roles})
    for role in roles:
        entry = ctx.org.roster.get(role)
        for person in entry.people if entry else ():
            told: Json = {"person": person, "message": "regressed", "run": run.id}
            await unit.intend(IntentKind.DIRECT, f"direct:regressed:{run.id}:{person}", incident=incident, args=told)
    args: Json = {"message": "regressed", "run": run.id}
    await unit.intend(IntentKind.POST, f"post:regressed:{run.id}", incident=incident, args=args)
