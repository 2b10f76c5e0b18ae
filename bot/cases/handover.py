"""Whoever takes over reads where things stand, in the room, and the commander may ask one person to take command.

Decides who is asked and what is recorded. What the summary says is its message's (`bot.slack.messages.handover`), made from
the store at the moment it is posted. Command passes when the person presses Take command, not before.
"""

from __future__ import annotations

from sqlmodel import col, select

from bot.cases.context import Context
from bot.cases.opening import invite
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import Incident, RoleHeld
from bot.incident.learning import ReviewAnswer
from bot.incident.outward import IntentKind
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.words import Role
from bot.playbook.asked import about_attack
from bot.store import Unit, queries

LONGEST = 2000


async def hand_over(ctx: Context, caller: Caller, number: int, *, to: str | None = None, text: str = "") -> str:
    """Post the summary. `to`: who takes over; `text`: what they must know besides. Raises Refused after the end."""
    user = member(caller)
    if len(text.strip()) > LONGEST:
        raise Invalid(
            f"The text has {len(text.strip())} characters, {LONGEST} fit. Add the rest as a note.", field="text"
        )
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        if incident.ended_at is not None:
            raise Refused(f"{incident.name} has ended: there is no command to hand over.")
        if to == user:
            raise Refused("That is you. Name whoever takes over, or nobody: `/incident handover`.")
        commander = (await queries.holders(unit.session, number)).get(Role.COMMANDER)
        commands = to is not None and commander is not None and commander.person == user
        said = clip(redact(text.strip()), LONGEST) or None
        unit.record(incident, Happened.HANDED_OVER, caller.actor, to=to, text=said, command=commands)
        if to is not None:
            await invite(unit, incident, to, why=f"handover:{incident.head_seq}")
        args = {
            "message": "handed_over",
            "by": user,
            "to": to,
            "text": said,
            "command": commands,
            "unanswered": await _unanswered(ctx, unit, incident),
        }
        await unit.intend(IntentKind.POST, f"post:handover:{number}:{incident.head_seq}", incident=incident, args=args)
        return unit.answer(_answer(incident, to, commander, commands=commands))


def _answer(incident: Incident, to: str | None, commander: RoleHeld | None, *, commands: bool) -> str:
    if to is None:
        return f"Where {incident.name} stands is being posted in its room."
    if commands:
        return f"<@{to}> is asked in the room to take command of {incident.name}. You have it until they do."
    holder = f"<@{commander.person}> has command" if commander else "Nobody has command yet"
    return (
        f"<@{to}> is called to the summary in the room of {incident.name}. {holder}; only the commander can pass it on."
    )


async def _unanswered(ctx: Context, unit: Unit, incident: Incident) -> list[str]:
    answered = select(ReviewAnswer.question).where(ReviewAnswer.incident == incident.number)
    known = set((await unit.session.exec(answered)).all())
    questions = {one.id for one in ctx.playbook.review.questions}
    return [one.id for one in about_attack(ctx.playbook) if one.id in questions - known]


async def offered(unit: Unit, incident: Incident, person: str, held: RoleHeld | None) -> bool:
    """Whoever has command handed it to this person last, and since they took it."""
    if held is None:
        return False
    theirs = select(TimelineEntry).where(
        TimelineEntry.incident == incident.number,
        TimelineEntry.kind == Happened.HANDED_OVER,
        TimelineEntry.actor == held.person,
        TimelineEntry.at >= held.since,
    )
    last = (await unit.session.exec(theirs.order_by(col(TimelineEntry.seq).desc()).limit(1))).first()
    return last is not None and bool(last.data.get("command")) and last.data.get("to") == person
