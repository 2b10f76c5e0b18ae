"""The review: written on request, its meeting planned at the close, reminded of until it was held.

Decides when it is due and when the room hears of it: a week before, on the day, then every week. What a review says is
`bot.review`'s; the date's day is the organisation's, in its time zone.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import col

from bot.cases.context import Context
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.columns import Json
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import SYSTEM, Incident
from bot.incident.outward import IntentKind, Planned, Reminder, ReminderKind
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import Status
from bot.store import Unit

LONGEST = 1000
BEFORE, AGAIN = timedelta(days=7), timedelta(days=7)
FURTHEST = timedelta(days=365)
REVIEWED = frozenset({Status.RESOLVED, Status.CLOSED})
EXAMPLE = "/incident review plan 2026-12-01"


async def ask(ctx: Context, caller: Caller, number: int, *, names: bool = False) -> str:
    """Have the review written and shared in the room, as it stands now. The same state is shared once."""
    who = member(caller)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        args: Json = {"document": "review", "upto": incident.head_seq, "by": who, "canvas": not names}
        if names:
            args["names"] = True
        key = f"upload:review:{number}:{incident.head_seq}:{int(names)}"
        await unit.intend(IntentKind.UPLOAD, key, incident=incident, args=args)
        where = "as files into its room" if incident.channel_id else "as files, once its room is open"
        return unit.answer(f"The review of {incident.name} is being written. It comes {where}.")


async def plan_at_close(ctx: Context, unit: Unit, incident: Incident) -> None:
    """Called in the transaction that closes it. A day that was planned before, and is still to come, stays."""
    if incident.review_held_at is not None or incident.status is not Status.CLOSED:
        return
    planned = incident.review_due_at
    due = (
        planned
        if planned is not None and planned > unit.now
        else unit.now + _days(ctx, ctx.playbook.review.hold_within_days)
    )
    await _set(ctx, unit, incident, due)
    unit.record(incident, Happened.REVIEW_PLANNED, SYSTEM, due=_day(ctx, due))
    key = f"post:review_planned:{incident.number}:{incident.head_seq}"
    await unit.intend(IntentKind.POST, key, incident=incident, args={"message": "review_due"})


async def plan(ctx: Context, caller: Caller, number: int, *, on: date) -> str:
    """Raises Refused once it was held, Invalid for a day that is over or more than a year ahead."""
    member(caller)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        if incident.review_held_at is not None:
            raise Refused(f"The review of {incident.name} was held already. There is nothing left to plan.")
        due = _morning(ctx, on)
        if not unit.now < due <= unit.now + FURTHEST:
            raise Invalid("The day must be in the future, and within a year.", example=EXAMPLE, field="on")
        await _set(ctx, unit, incident, due)
        unit.record(incident, Happened.REVIEW_PLANNED, caller.actor, due=_day(ctx, due))
        return unit.answer(f"The review of {incident.name} is planned for {_day(ctx, due)}.")


async def held(ctx: Context, caller: Caller, number: int, *, text: str | None = None) -> str:
    """Raises Refused before it is resolved. Said a second time, it changes nothing."""
    member(caller)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        if incident.status not in REVIEWED:
            raise Refused(f"{incident.name} is not resolved yet. A review looks back: resolve it first.")
        if incident.review_held_at is not None:
            return unit.answer(f"That the review of {incident.name} was held is on its timeline already.")
        incident.review_held_at = unit.now
        said = {"text": clip(redact(text.strip()), LONGEST)} if text and text.strip() else {}
        unit.record(incident, Happened.REVIEW_HELD, caller.actor, **said)
        await _stop(unit, incident)
        return unit.answer(f"The review of {incident.name} was held. You are not reminded of it any more.")


async def due(ctx: Context, unit: Unit, incident: Incident, args: Json) -> Json | None:
    """A reminder fell due. None where it was held, planned anew, or the incident runs again."""
    planned = incident.review_due_at
    if planned is None or incident.review_held_at is not None or incident.ended_at is None:
        return None
    if args.get("due") != planned.isoformat():
        return None
    if unit.now >= planned:
        await unit.remind(_reminder(incident, planned, unit.now + _week(ctx, AGAIN)))
    unit.record(incident, Happened.REMINDED, SYSTEM, about="review_due")
    return {"message": "review_due", "due": planned.isoformat()}


async def _set(ctx: Context, unit: Unit, incident: Incident, due: datetime) -> None:
    await _stop(unit, incident)
    incident.review_due_at = due
    ahead = [at for at in (due - _week(ctx, BEFORE), due) if at > unit.now]
    await unit.remind(*(_reminder(incident, due, at) for at in ahead))


async def _stop(unit: Unit, incident: Incident) -> None:
    await unit.stop_reminders(incident, where=[col(Reminder.kind) == ReminderKind.REVIEW_DUE])


def _reminder(incident: Incident, planned: datetime, at: datetime) -> Planned:
    """The head is in the key: a plan made anew never meets the keys of the one before."""
    key = f"{incident.number}:{ReminderKind.REVIEW_DUE}:{at:%Y%m%dT%H%M%S}:r{incident.head_seq}"
    args: Json = {"due": planned.isoformat()}
    return Planned(key=key, incident=incident.number, kind=ReminderKind.REVIEW_DUE, args=args, due_at=at)


def _days(ctx: Context, count: int) -> timedelta:
    return ctx.minutes(count * 24 * 60)


def _week(ctx: Context, span: timedelta) -> timedelta:
    return ctx.minutes(span.total_seconds() / 60)


def _morning(ctx: Context, day: date) -> datetime:
    """When work begins on that day, here."""
    return datetime.combine(day, ctx.calendar.starts, ZoneInfo(ctx.calendar.timezone))


def _day(ctx: Context, at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(ctx.calendar.timezone)):%Y-%m-%d}"
