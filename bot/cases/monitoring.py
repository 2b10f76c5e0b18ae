"""Enhanced monitoring: for some weeks after its closure an incident is watched for coming back.

Decides when it begins, what its end says, and what makes another incident a recurrence: the same trigger, subject and
application, or a payload that is alike (`fingerprint`). The new incident is linked in the transaction that finds it, by one
question; the old one is told by a reminder of its own, so that nothing that opens ever waits for it. Drills neither recur nor
are recurrences.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import col, select

from bot.cases import fingerprint
from bot.cases.context import Context
from bot.incident.caller import Caller
from bot.incident.columns import Json
from bot.incident.incident import SYSTEM, Incident
from bot.incident.outward import IntentKind, Planned, ReminderKind
from bot.incident.redact import clip
from bot.incident.timeline import Happened
from bot.incident.validation import ValidationRun
from bot.incident.words import Role, RunState, Status
from bot.store import Unit, queries
from bot.store.reminders import Fired

FIXED_CHARS = 400


async def begin(ctx: Context, unit: Unit, incident: Incident, caller: Caller) -> None:
    """Called where an incident is closed, after that was recorded. A drill is not watched."""
    if incident.drill:
        return
    days = ctx.playbook.review.monitored_days(incident.severity)
    incident.monitored_until = unit.now + timedelta(days=days)
    until = incident.monitored_until.isoformat()
    unit.record(incident, Happened.MONITORING_BEGAN, caller.actor, until=f"{incident.monitored_until:%Y-%m-%d}")
    key = f"{incident.number}:monitoring:r{incident.head_seq}"
    over = ReminderKind.MONITORING_OVER
    await unit.remind(Planned(key, incident.number, over, incident.monitored_until, {"until": until}))


async def look(unit: Unit, incident: Incident) -> None:
    """An incident opens: is it one that came back? One indexed question, and nothing is locked but the incident itself."""
    if incident.trigger is None or incident.subject_id is None:
        return
    same = (
        Incident.trigger == incident.trigger,
        Incident.subject_kind == incident.subject_kind,
        Incident.subject_id == incident.subject_id,
        col(Incident.app) == incident.app if incident.app is not None else col(Incident.app).is_(None),
    )
    await _link(unit, incident, await _watched(unit, incident, *same), "the same trigger and subject")


async def look_alike(unit: Unit, incident: Incident) -> None:
    """Evidence came, and its payload is remembered: is it one that was seen before?"""
    if incident.drill or incident.recurrence_of is not None:
        return
    why = dict(await fingerprint.alike(unit, incident))
    if why:
        found = await _watched(unit, incident, col(Incident.number).in_(why))
        await _link(unit, incident, found, why[found.number] if found else "")


async def over(unit: Unit, incident: Incident, reminder: Fired) -> Json | None:
    """A reminder of the watched incident fired: it came back, or the time is over. Returns what its room is told."""
    if "came_back_as" in reminder.args:
        return await _came_back(unit, incident, int(reminder.args["came_back_as"]), str(reminder.args["why"]))
    until = incident.monitored_until
    if incident.status is not Status.CLOSED or until is None or until.isoformat() != reminder.args["until"]:
        return None
    again = [f"INC-{number}" for number in await _recurrences(unit, incident)]
    result = f"it came back as {', '.join(again)}" if again else "nothing came back"
    unit.record(incident, Happened.MONITORING_ENDED, SYSTEM, result=result)
    return {"message": "monitoring_ended", "again": again}


async def _watched(unit: Unit, incident: Incident, *where: object) -> Incident | None:
    """The latest closed incident that is still watched and answers to this. None for a drill, or where it is linked already."""
    if incident.drill or incident.recurrence_of is not None:
        return None
    wanted = select(Incident).where(
        Incident.number < incident.number,
        Incident.status == Status.CLOSED,
        col(Incident.monitored_until) > unit.now,
        col(Incident.drill).is_(False),
        *where,  # type: ignore[arg-type]
    )
    return (await unit.session.exec(wanted.order_by(col(Incident.number).desc()).limit(1))).first()


async def _link(unit: Unit, incident: Incident, before: Incident | None, why: str) -> None:
    if before is None:
        return
    incident.recurrence_of = before.number
    days = (unit.now - (before.closed_at or before.declared_at)).days
    reason = f"a recurrence of {before.name}, closed {days} days ago: {why}"
    unit.record(incident, Happened.RECURRED, SYSTEM, of=before.name, reason=reason)
    told = {
        "message": "recurrence_of",
        "of": before.number,
        "days": days,
        "why": why,
        "fixed": clip(before.resolution or "", FIXED_CHARS),
        "proof": await _proof(unit, before),
    }
    await unit.intend(IntentKind.POST, f"post:recurrence:{incident.number}", incident=incident, args=told)
    key = f"{before.number}:came_back:{incident.number}"
    args = {"came_back_as": incident.number, "why": why}
    await unit.remind(Planned(key, before.number, ReminderKind.MONITORING_OVER, unit.now, args))


async def _came_back(unit: Unit, incident: Incident, number: int, why: str) -> Json:
    unit.record(incident, Happened.RECURRED, SYSTEM, incident=f"INC-{number}", reason=why)
    told = {"message": "came_back", "incident": number, "why": why}
    commander = (await queries.holders(unit.session, incident.number)).get(Role.COMMANDER)
    if commander is not None:
        key = f"direct:came_back:{incident.number}:{number}"
        await unit.intend(IntentKind.DIRECT, key, incident=incident, args={**told, "person": commander.person})
    return told


async def _proof(unit: Unit, before: Incident) -> str:
    """What was proven of the fix, in words of ours and of whoever waived it."""
    runs = select(ValidationRun).where(
        ValidationRun.incident == before.number, ValidationRun.state == RunState.FINISHED
    )
    last = (await unit.session.exec(runs.order_by(col(ValidationRun.id).desc()).limit(1))).first()
    if last is not None and last.verdict is not None:
        return f"validation {last.id} came to {last.verdict.value}"
    if before.validation_waived_at is not None:
        return "its validation was waived: " + clip(before.validation_waiver or "no reason is stored", FIXED_CHARS)
    return "the fix was never validated"


async def _recurrences(unit: Unit, incident: Incident) -> Sequence[int]:
    found = select(Incident.number).where(Incident.recurrence_of == incident.number).order_by(col(Incident.number))
    return (await unit.session.exec(found)).all()
