"""The first hour's clock is wound: which moments of an incident may need a word, written down as reminders.

Decides when. Whether anything is said when the moment comes, and what, is `remind`'s. Every time is anchored at the
declaration, also where the attack started long before; spans run at the deployment's speed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import col

from bot.cases.context import Context
from bot.incident.columns import Json
from bot.incident.deadlines import response_due
from bot.incident.incident import Incident
from bot.incident.outward import Planned, Reminder, ReminderKind
from bot.incident.words import Status
from bot.store import Unit

PLANNED_HERE = (
    ReminderKind.WINDOW_START,
    ReminderKind.WINDOW_NUDGE,
    ReminderKind.ACKNOWLEDGE,
    ReminderKind.UPDATE_DUE,
)
"""What a change of severity plans anew. The expiry of a proposed action stays where its proposal put it."""

SHORTEST_RESPONSE = 5
"""Minutes that whoever is called gets before the next person is, however short the playbook says."""


async def plan_reminders(ctx: Context, unit: Unit, incident: Incident) -> None:
    """Write the reminders that are still ahead. Called in the transaction that opens the incident."""
    if incident.ended_at is None:
        await unit.remind(
            *_acknowledge(incident, unit.now), *_windows(ctx, incident, unit.now), *_update(ctx, incident, unit.now)
        )


async def replan(ctx: Context, unit: Unit, incident: Incident) -> None:
    """The severity changed, or the incident was reopened: stop what was planned and plan what is still ahead.

    Called after the change was recorded: the keys of the new plan are made from the timeline's head.
    """
    await unit.stop_reminders(incident, where=[col(Reminder.kind).in_(PLANNED_HERE)])
    if incident.status is Status.REOPENED:  # it must be acknowledged again, counted from here
        incident.acknowledge_by = respond_by(ctx, incident, unit.now)
    await plan_reminders(ctx, unit, incident)


def respond_by(ctx: Context, incident: Incident, since: datetime) -> datetime:
    """When somebody must have answered who was called at `since`: the severity's response time on this calendar."""
    response = ctx.playbook.severities[incident.severity].response
    if response.minutes is not None:
        return since + ctx.minutes(max(response.minutes, SHORTEST_RESPONSE))
    return response_due(since, None, response.next_business_day, ctx.calendar)


def reminder(incident: Incident, kind: ReminderKind, part: str, *, due_at: datetime, args: Json) -> Planned:
    """The timeline's head is the revision in the key, so that a plan made anew never meets the keys of the one before."""
    key = f"{incident.number}:{kind}:{part}:r{incident.head_seq}"
    return Planned(key=key, incident=incident.number, kind=kind, args=args, due_at=due_at)


def _acknowledge(incident: Incident, now: datetime) -> Iterator[Planned]:
    """A response time that has passed already (the severity was raised late) calls at once."""
    if incident.unacknowledged and incident.acknowledge_by is not None:
        due = max(incident.acknowledge_by, now)
        yield reminder(incident, ReminderKind.ACKNOWLEDGE, "0", due_at=due, args={"level": 0})


def _windows(ctx: Context, incident: Incident, now: datetime) -> Iterator[Planned]:
    """The first window is shown by the card at the opening, so only the later ones are announced."""
    for window in ctx.playbook.windows(incident.severity):
        start = incident.declared_at + ctx.minutes(window.start_minutes)
        nudge = incident.declared_at + ctx.minutes(window.end_minutes - window.nudge_minutes_before)
        args: Json = {"window": window.id}
        if window.start_minutes > 0 and start > now:
            yield reminder(incident, ReminderKind.WINDOW_START, window.id, due_at=start, args=args)
        if nudge > now:
            yield reminder(incident, ReminderKind.WINDOW_NUDGE, window.id, due_at=nudge, args=args)


def _update(ctx: Context, incident: Incident, now: datetime) -> Iterator[Planned]:
    """One update reminder is pending at a time; each plans the next when it is due."""
    cadence = ctx.playbook.severities[incident.severity].update_every_minutes
    if cadence:
        yield next_update(incident, now + ctx.minutes(cadence))


def next_update(incident: Incident, due_at: datetime) -> Planned:
    part = f"{due_at:%Y%m%dT%H%M%S.%f}"
    return reminder(incident, ReminderKind.UPDATE_DUE, part, due_at=due_at, args={})
