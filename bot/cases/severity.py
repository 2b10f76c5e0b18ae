"""The severity is confirmed or changed: deadlines, steps, plan and invitations follow it."""

from __future__ import annotations

from sqlmodel import select

from bot.cases.ask_commander import ask_commander
from bot.cases.context import Context
from bot.cases.first_hour import replan, respond_by
from bot.cases.opening import add_steps
from bot.cases.people import member
from bot.cases.propose import plan
from bot.cases.restate import for_severity
from bot.incident.caller import Caller
from bot.incident.errors import Refused
from bot.incident.incident import Actor, Incident
from bot.incident.outward import IntentKind
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import Severity
from bot.incident.work import Step
from bot.store import Unit
from bot.store.intents import reweigh


async def change(ctx: Context, caller: Caller, number: int, *, severity: Severity, reason: str | None = None) -> str:
    """Confirm the severity (the same one) or change it. Raises Refused without a reason, or after the end."""
    member(caller)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        if incident.ended_at is not None:
            raise Refused(f"{incident.name} has ended. Its severity stays {incident.severity.label} for the review.")
        if severity is incident.severity:
            incident.severity_confirmed_at = incident.severity_confirmed_at or unit.now
            unit.record(incident, Happened.SEVERITY_CONFIRMED, caller.actor, severity=severity.label)
            return unit.answer(f"{incident.name}: {severity.label} is confirmed.")
        if not reason:
            raise Refused(
                f"Say why {incident.name} becomes {severity.label}, for example `/incident sev {severity.value} spreading`."
            )
        before = incident.severity.label
        await apply_severity(
            ctx, unit, incident, severity, caller.actor, reason=clip(redact(reason), 500), confirmed=True
        )
        return unit.answer(f"{incident.name} is {severity.label} now, it was {before}.")


async def apply_severity(
    ctx: Context, unit: Unit, incident: Incident, severity: Severity, actor: Actor, *, reason: str, confirmed: bool
) -> None:
    """Change it in the caller's transaction, with everything that follows."""
    before, incident.severity = incident.severity, severity
    await reweigh(unit, incident.number, severity - before)
    if confirmed:
        incident.severity_confirmed_at = unit.now
    unit.record(
        incident, Happened.SEVERITY_CHANGED, actor, **{"from": before.label, "to": severity.label, "reason": reason}
    )
    if incident.unacknowledged:
        incident.acknowledge_by = respond_by(ctx, incident, incident.declared_at)
    known = await unit.session.exec(select(Step.step_id).where(Step.incident == incident.number))
    await add_steps(ctx, unit, incident, known=frozenset(known.all()))
    await for_severity(unit, incident)
    await plan(ctx, unit, incident)
    await ask_commander(unit, incident)
    await replan(ctx, unit, incident)
    roles = list(ctx.playbook.severities[severity].notify)
    await unit.intend(
        IntentKind.INVITE,
        f"invite:{incident.number}:roster:{severity.value}",
        incident=incident,
        args={"roles": roles},
    )
    await unit.intend(
        IntentKind.POST,
        f"post:severity:{incident.number}:{incident.head_seq}",
        incident=incident,
        args={"message": "severity_changed", "from": before.label, "to": severity.label},
    )
