"""What one person owes, told to them alone: their action items that are due soon or overdue, and risks to look at again.

Decides that it is one message a day, read when it is sent: what was done meanwhile is not in it, and without anything left it
is not sent. Whose account is gone is told to who leads each incident, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.incident.due import in_days
from bot.incident.incident import Incident
from bot.incident.learning import ActionItem, Risk
from bot.incident.outward import IntentKind
from bot.incident.words import Role
from bot.slack.delivery.desk import Desk, outcome, posting
from bot.slack.delivery.lookup import posted
from bot.slack.delivery.people import People
from bot.slack.failures import Failure
from bot.slack.messages.owed import owed as owed_message
from bot.slack.messages.owed import unowned as unowned_message
from bot.store import Unit, items, queries
from bot.store.intents import Claim
from bot.store.runner import Done, Never, Outcome, Record

LEADS = (Role.COMMANDER, Role.TECHNICAL_LEAD)
BACK = timedelta(days=2)
"""So far back a message that may have been sent is looked for; the intent is of one day."""


async def owed(desk: Desk, people: People, claim: Claim) -> Outcome:
    """`{"person"}`, or `{"person", "unowned_of": incident, "fired_at"}` for items that have no owner yet."""
    name, now = str(claim.args["person"]), desk.store.now()
    due, risks = await _read(desk, claim, now)
    if not due and not risks:
        return Done()
    channel = await _direct_with(desk, people, name)
    if isinstance(channel, Failure):
        gone = _told_to_leads(name, due)
        return Never(channel.why, record=gone) if channel.permanent else outcome(claim, channel)
    if claim.uncertain:
        before = await posted(desk, channel, claim.key, now - BACK)
        if before is not None:
            return outcome(claim, before) if isinstance(before, Failure) else Done()
    message = unowned_message(due, now) if "unowned_of" in claim.args else owed_message(due, risks, now)
    answer = await desk.slack.call("chat.postMessage", **posting(desk, channel, message, claim))
    return outcome(claim, answer) if isinstance(answer, Failure) else Done()


async def _direct_with(desk: Desk, people: People, name: str) -> str | Failure:
    """The direct conversation with them. Slack takes messages for an account that is deactivated, so that is asked first."""
    found = await people.people([name])
    if isinstance(found, Failure):
        return found
    if not found.ids:
        return Failure("users.lookupByEmail", "users_not_found", f"{name} cannot be written to", permanent=True)
    known = await desk.slack.call("users.info", user=found.ids[0])
    if isinstance(known, Failure):
        return known
    if (known.data.get("user") or {}).get("deleted"):
        return Failure("users.info", "user_disabled", "the account is deactivated", permanent=True)
    opened = await desk.slack.call("conversations.open", users=found.ids[0])
    return opened if isinstance(opened, Failure) else str(opened.data["channel"]["id"])


async def _read(desk: Desk, claim: Claim, now: datetime) -> tuple[Sequence[ActionItem], Sequence[Risk]]:
    async with desk.store.read() as session:
        if "unowned_of" in claim.args:
            fired = datetime.fromisoformat(str(claim.args["fired_at"])).astimezone(UTC)
            return await items.told_at(session, int(claim.args["unowned_of"]), fired), ()
        person, terms = str(claim.args["person"]), desk.playbook.review.item_reminders
        soon = in_days(now, max(terms.before_days, default=0))
        due = await items.owned(session, person, due_until=soon)
        return due, await items.risks_owned(session, person, due_until=in_days(now, 0))


def _told_to_leads(owner: str, due: Sequence[ActionItem]) -> Record:
    """Once an incident and owner: somebody else must own them."""

    async def record(unit: Unit) -> None:
        for number in sorted({item.incident for item in due}):
            incident = await unit.incident(number)
            person = await _lead(unit, incident, besides=owner)
            args = {"message": "owner_gone", "owner": owner, "items": [one.id for one in due if one.incident == number]}
            key = f"owner_gone:{number}:{owner}"
            if person is not None:
                told = {**args, "person": person}
                await unit.intend(IntentKind.DIRECT, f"direct:{key}", incident=incident, args=told)
            else:
                await unit.intend(IntentKind.POST, f"post:{key}", incident=incident, args=args)

    return record


async def _lead(unit: Unit, incident: Incident, *, besides: str) -> str | None:
    held = await queries.holders(unit.session, incident.number)
    leads = [held[role].person for role in LEADS if role in held]
    return next((person for person in leads if person != besides), None)
