"""An incident is opened again, by a person or because its attack succeeded again. One place for what that writes.

Decides that a waiver and planned replays end with it, and that its first hour is wound anew. Who may is its callers'.
"""

from __future__ import annotations

from sqlmodel import col

from bot.cases.context import Context
from bot.cases.first_hour import replan
from bot.cases.proven import forget_waiver
from bot.incident import lifecycle
from bot.incident.incident import Actor, Incident
from bot.incident.outward import Reminder, ReminderKind
from bot.incident.timeline import Happened
from bot.incident.words import Status
from bot.store import Unit

ENDS_WITH_IT = (ReminderKind.REGRESSION_DUE, ReminderKind.REVIEW_DUE)
"""What was planned for after the end."""


async def open_again(ctx: Context, unit: Unit, incident: Incident, by: Actor, reason: str) -> None:
    """Raises Refused where it has not ended, IntegrityError where another incident about the same thing is open."""
    before = incident.status
    lifecycle.move(incident, Status.REOPENED, unit.now, reason=reason)
    forget_waiver(incident)
    # What comes now is looked back at anew; the timeline keeps both.
    incident.review_due_at = incident.review_held_at = None
    moved(unit, incident, by, before, reason=reason)
    await unit.stop_reminders(incident, where=[col(Reminder.kind).in_(ENDS_WITH_IT)])
    await replan(ctx, unit, incident)


def moved(unit: Unit, incident: Incident, by: Actor, before: Status, *, reason: str | None) -> None:
    said = {"from": before.value, "to": incident.status.value, "reason": reason}
    unit.record(incident, Happened.STATUS_CHANGED, by, **said)
