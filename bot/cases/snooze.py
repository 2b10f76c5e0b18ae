"""The room asks for quiet: what would remind it within the next minutes comes that much later.

Decides what can be put off: nudges and update reminders. Never a call for somebody to acknowledge, never the expiry of a
proposed action, never the start of a window.
"""

from __future__ import annotations

from sqlmodel import col, select

from bot.cases.context import Context
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused
from bot.incident.outward import Reminder, ReminderKind, ReminderState
from bot.incident.timeline import Happened

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
        put_off = (await unit.session.exec(soon)).all()
        if not put_off:
            return unit.answer(f"No nudge is due in the next {_spoken(minutes)}; nothing was changed.")
        for reminder in put_off:
            reminder.due_at += span
        unit.record(incident, Happened.SNOOZED, caller.actor, minutes=minutes, reminders=len(put_off))
        return unit.answer(
            f"Quiet for {_spoken(minutes)}. Calls for somebody to acknowledge, and proposals that expire, still come."
        )


def _spoken(minutes: int) -> str:
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
