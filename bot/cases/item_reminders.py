"""The owner of an action item is told of it before its due date, on the day, and then again and again until it is done.

Decides who is told and when the next time is. All that one person owes is one message a day (`bot.slack.delivery.owed`), so
twenty items that fall due together are no burst. An item without an owner is told once, to whoever holds its role or leads
the incident; from then on it waits for an owner.
"""

from __future__ import annotations

from sqlmodel import col

from bot.cases.context import Context
from bot.incident.approval import ROOM_ROLES
from bot.incident.due import next_telling
from bot.incident.incident import Incident
from bot.incident.learning import ActionItem
from bot.incident.outward import IntentKind, Planned, Reminder, ReminderKind
from bot.incident.words import ItemState, Role
from bot.store import Unit, queries
from bot.store.reminders import Fired

LEADS = (Role.COMMANDER, Role.TECHNICAL_LEAD)


async def plan(ctx: Context, unit: Unit, incident: Incident, item: ActionItem) -> None:
    """Write down the next time the item's owner is told. Called after the change was recorded: the timeline's head is the
    revision in the key, so that a plan made anew never meets the keys of the one before."""
    if item.due_at is None or item.state is not ItemState.PENDING:
        return
    terms = ctx.playbook.review.item_reminders
    at = next_telling(
        item.due_at,
        unit.now,
        before_days=terms.before_days,
        on_the_day=terms.on_the_day,
        every_days=terms.overdue_every_days,
        hour=terms.at_hour,
    )
    key = f"{incident.number}:item:{item.id}:{at:%Y%m%d}:r{incident.head_seq}"
    args = {"item": item.id, "due": item.due_at.isoformat()}
    await unit.remind(Planned(key, incident.number, ReminderKind.ITEM_DUE, at, args))


async def stop(unit: Unit, incident: Incident, item: ActionItem) -> None:
    """What is still planned for the item is not told any more."""
    mine = col(Reminder.key).startswith(f"{incident.number}:item:{item.id}:", autoescape=True)
    await unit.stop_reminders(incident, where=[col(Reminder.kind) == ReminderKind.ITEM_DUE, mine])


async def fall_due(ctx: Context, unit: Unit, incident: Incident, reminder: Fired) -> None:
    """A reminder fired. What was done, dropped or moved meanwhile is not told."""
    item = await unit.session.get(ActionItem, int(reminder.args["item"]))
    if item is None or item.due_at is None or item.due_at.isoformat() != reminder.args["due"]:
        return
    if item.state is not ItemState.PENDING:
        return
    if item.owner is not None:
        await tell(unit, item.owner)
        await plan(ctx, unit, incident, item)
    elif (person := await _in_charge(unit, incident, item)) is not None:
        args = {"person": person, "unowned_of": incident.number, "fired_at": unit.now.isoformat()}
        key = f"direct:unowned:{incident.number}:{person}:{unit.now:%Y%m%dT%H%M%S%f}"
        await unit.intend(IntentKind.DIRECT, key, args=args)


async def tell(unit: Unit, person: str) -> None:
    """Have a person told of all that they owe, once a day however many reminders ask for it."""
    day = f"{unit.now:%Y-%m-%d}"
    await unit.intend(IntentKind.DIRECT, f"direct:owed:{person}:{day}", args={"person": person})


async def _in_charge(unit: Unit, incident: Incident, item: ActionItem) -> str | None:
    """Whoever holds the item's role in the room, or who leads the incident."""
    held = await queries.holders(unit.session, incident.number)
    if item.role in ROOM_ROLES and Role(item.role) in held:
        return held[Role(item.role)].person
    return next((held[role].person for role in LEADS if role in held), None)
