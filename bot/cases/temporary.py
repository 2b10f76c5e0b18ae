"""Containment is temporary: an action may get a time to live, and at its end the room is asked (never a silent end).

Decides who may set it, when it is asked and how often again. What is asked is the message's; what follows is a person's.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col

from bot.cases import actions
from bot.cases.context import Context
from bot.cases.people import member, on_roster
from bot.incident.caller import Caller
from bot.incident.columns import Json
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import SYSTEM, Actor, Incident
from bot.incident.outward import Planned, Reminder, ReminderKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionState
from bot.incident.work import Action
from bot.store import Unit

S = ActionState
LONGEST = 90 * 24 * 60
"""Minutes; what is to last longer than this is no containment."""
AGAIN = 60
"""Minutes after which an unanswered question is asked again, without calling anybody."""
UNDER_WAY = frozenset({S.APPROVED, S.EXECUTING, S.VERIFIED, S.UNKNOWN})
IN_FORCE = frozenset({S.VERIFIED, S.UNKNOWN})


async def set_time(ctx: Context, caller: Caller, number: int, *, index: int, minutes: int | None) -> str:
    """Have the room asked in so many minutes whether to revert or keep the action; None takes the question back.

    Raises Refused for who may not approve such actions or where nothing is in force, Invalid for a span that cannot be.
    """
    refuse_span(minutes)
    roster = await on_roster(ctx, member(caller))
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        action = await actions.find(unit, incident, index)
        if action.state not in UNDER_WAY:
            raise Refused(f"{actions.words(action)} is {action.state.value}: only what is in force can be temporary.")
        await actions.approver(ctx, unit, incident, action, member(caller), roster)
        await ask_in(ctx, unit, incident, action, minutes, by=caller.actor)
        if action.temporary_until is None:
            return unit.answer(f"{actions.words(action)} has no end time any more. The resolution still asks about it.")
        return unit.answer(
            f"{actions.words(action)} is temporary until {action.temporary_until:%Y-%m-%d %H:%M} UTC. Then the room is asked "
            "whether to revert or keep it; it does not end by itself."
        )


def refuse_span(minutes: int | None) -> None:
    if minutes is not None and not 1 <= minutes <= LONGEST:
        raise Invalid("A time to live is 1 minute to 90 days.", example="/incident contain ttl 3 4h", field="time")


async def ask_in(
    ctx: Context, unit: Unit, incident: Incident, action: Action, minutes: int | None, *, by: Actor
) -> None:
    """Write the time, instead of any before it."""
    until = None if minutes is None else unit.now + ctx.minutes(minutes)
    if until == action.temporary_until:
        return
    await unit.stop_reminders(incident, where=[col(Reminder.key).startswith(_prefix(action), autoescape=True)])
    action.temporary_until = until
    said = until.isoformat(timespec="minutes") if until else None
    unit.record(incident, Happened.ACTION_TEMPORARY, by, **actions.facts(action), until=said)
    if until is not None:
        await _remind(unit, incident, action, time=0, due_at=until)


def _prefix(action: Action) -> str:
    return f"temporary:{action.incident}:{action.index}:"


async def _remind(unit: Unit, incident: Incident, action: Action, *, time: int, due_at: datetime) -> None:
    """The timeline's head is in the key: a time that is set again never meets the question that it replaced."""
    assert action.temporary_until is not None
    await unit.remind(
        Planned(
            key=f"{_prefix(action)}{due_at.isoformat()}:r{incident.head_seq}",
            incident=incident.number,
            kind=ReminderKind.TEMPORARY_OVER,
            args={"action": action.index, "until": action.temporary_until.isoformat(), "time": time},
            due_at=due_at,
        )
    )


async def over(ctx: Context, unit: Unit, incident: Incident, asked: Json) -> Json | None:
    """The time is over. Asked until it is decided; silent where it was, and while the answer is on its way."""
    action = await actions.find(unit, incident, int(asked["action"]))
    until, time = action.temporary_until, int(asked["time"])
    if until is None or until.isoformat() != asked["until"] or action.state not in UNDER_WAY:
        return None
    answered = action.revert_asked_at is not None or action.state not in IN_FORCE
    again = unit.now + ctx.minutes(AGAIN)
    await _remind(unit, incident, action, time=time if answered else time + 1, due_at=again)
    if answered:
        return None
    if time == 0:
        unit.record(incident, Happened.REMINDED, SYSTEM, about="temporary_over", action=action.index)
    return {"message": "temporary_over", "action": action.index, "again": time > 0}
