"""The room asks for quiet: what would remind it within the next minutes comes that much later, and what was said last again.

Decides what can be put off: nudges and update reminders. Never a call for somebody to acknowledge, never the expiry of a
proposed action, never the start of a window.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, select

from bot.cases.context import Context
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import Incident
from bot.incident.narrative import so_many
from bot.incident.outward import Planned, Reminder, ReminderKind, ReminderState
from bot.incident.timeline import Happened
from bot.store import Unit

LONGEST = 60
QUIET = (ReminderKind.WINDOW_NUDGE, ReminderKind.UPDATE_DUE)


async def snooze(ctx: Context, caller: Caller, number: int, *, minutes: int) -> str:
    """Raises Invalid unless it is for 1 to 60 minutes, Refused for a guest or after the end."""
    member(caller)
    if not 1 <= minutes <= LONGEST:
        raise Invalid(f"Snooze for 1 to {LONGEST} minutes.", example="/incident snooze 15", field="minutes")
    span = ctx.minutes(minutes)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        if incident.ended_at is not None:
            raise Refused(f"{incident.name} has ended; it reminds nobody any more.")
        soon = select(Reminder).where(
            Reminder.incident == number,
            Reminder.state == ReminderState.PENDING,
            col(Reminder.kind).in_(QUIET),
            Reminder.due_at <= unit.now + span,
        )
        put_off, said = (await unit.session.exec(soon)).all(), await _last_nudge(unit, incident)
        if not put_off and said is None:
            return unit.answer(f"No nudge is due in the next {so_many(minutes, 'minute')}; nothing was changed.")
        for reminder in put_off:
            reminder.due_at += span
        unit.record(incident, Happened.SNOOZED, caller.actor, minutes=minutes, reminders=len(put_off))
        if said is not None:
            await unit.remind(_again(incident, said, unit.now + span))
        return unit.answer(
            f"Quiet for {so_many(minutes, 'minute')}; then what is still missing is said again. "
            "Calls for somebody to acknowledge, and proposals that expire, still come."
        )


async def _last_nudge(unit: Unit, incident: Incident) -> Reminder | None:
    last = select(Reminder).where(
        Reminder.incident == incident.number,
        Reminder.state == ReminderState.FIRED,
        Reminder.kind == ReminderKind.WINDOW_NUDGE,
    )
    return (await unit.session.exec(last.order_by(col(Reminder.due_at).desc()).limit(1))).first()


def _again(incident: Incident, said: Reminder, due_at: datetime) -> Planned:
    """Who snoozes a nudge means the one that was just said: it comes again, and is silent where it was done by then."""
    return Planned(
        key=f"snoozed:{incident.number}:{incident.head_seq}",
        incident=incident.number,
        kind=ReminderKind.WINDOW_NUDGE,
        args=said.args,
        due_at=due_at,
    )
