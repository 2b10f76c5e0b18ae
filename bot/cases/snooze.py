"""The room asks for quiet: what would remind it within the next minutes comes that much later, and what was said last again.

Decides what can be put off: nudges and update reminders. Never a call for somebody to acknowledge, never the expiry of a
proposed action, never the start of a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import select

from bot.cases.context import Context
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import Incident
from bot.incident.narrative import so_many
from bot.incident.outward import Planned, Reminder, ReminderKind, ReminderState
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
        # Some dozens. By state, the database would look among the reminders of a year.
        of_it = (await unit.session.exec(select(Reminder).where(Reminder.incident == number))).all()
        pending = [one for one in of_it if one.state is ReminderState.PENDING and one.kind in QUIET]
        put_off, said = [one for one in pending if one.due_at <= unit.now + span], _last_nudge(of_it)
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


def _last_nudge(reminders: Sequence[Reminder]) -> Reminder | None:
    nudges = (one for one in reminders if one.state is ReminderState.FIRED and one.kind is ReminderKind.WINDOW_NUDGE)
    return max(nudges, key=lambda one: one.due_at, default=None)


def _again(incident: Incident, said: Reminder, due_at: datetime) -> Planned:
    """Who snoozes a nudge means the one that was just said: it comes again, and is silent where it was done by then."""
    return Planned(
        key=f"snoozed:{incident.number}:{incident.head_seq}",
        incident=incident.number,
        kind=ReminderKind.WINDOW_NUDGE,
        args=said.args,
        due_at=due_at,
    )
