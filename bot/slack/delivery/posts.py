"""Single posts: into the room, to one person, and the pin of the card.

Decides that a post happens once: it carries its intent's key, and is looked for before it is repeated. Whether it still
has anything to say is decided by its message at the moment it is sent.
"""

from __future__ import annotations

from bot.incident.casefile import CaseFile
from bot.incident.columns import Json
from bot.slack.client import Answer
from bot.slack.delivery import late
from bot.slack.delivery.desk import Desk, outcome, posting
from bot.slack.delivery.lookup import posted
from bot.slack.delivery.people import Found, People
from bot.slack.failures import Failure
from bot.slack.kit import Message
from bot.slack.messages import compose
from bot.slack.messages.asked import strings
from bot.store.intents import Claim
from bot.store.runner import Done, Never, Outcome


async def post(desk: Desk, people: People, claim: Claim) -> Outcome:
    """`{"message": name, …}` into the room."""
    file = await desk.file(claim)
    if file.incident.channel_id is None:
        return await desk.no_room(claim)
    args = await _called(people, claim.args)
    if isinstance(args, Failure):
        return outcome(claim, args)
    return await _once(desk, claim, file, file.incident.channel_id, args, room=True)


async def direct(desk: Desk, people: People, claim: Claim) -> Outcome:
    """`{"person": id or e-mail address, "message": name, …}` to that person alone."""
    file = await desk.file(claim)
    name = str(claim.args.get("person", ""))
    found, args = await people.people([name]), await _called(people, claim.args)
    if isinstance(found, Failure):
        return outcome(claim, found)
    if isinstance(args, Failure):
        return outcome(claim, args)
    if found.missing or not found.ids:
        return Never(f"{name} cannot be written to: {found.missing[0].why if found.missing else 'nobody is named'}")
    opened = await desk.slack.call("conversations.open", users=found.ids[0])
    if isinstance(opened, Failure):
        return outcome(claim, opened)
    return await _once(desk, claim, file, str(opened.data["channel"]["id"]), args)


async def _called(people: People, args: Json) -> Json | Failure:
    """Addresses and handles as ids, so that they can be mentioned. Who leads nowhere stays, by name."""
    if "people" not in args and "usergroups" not in args:
        return args
    found = [await people.people(strings(args, "people")), await people.groups(strings(args, "usergroups"))]
    known = [one for one in found if isinstance(one, Found)]
    if len(known) < len(found):
        return next(one for one in found if isinstance(one, Failure))
    named = [[*one.ids, *(nobody.who for nobody in one.missing)] for one in known]
    return {**args, "people": named[0], "usergroups": named[1]}


async def _once(desk: Desk, claim: Claim, file: CaseFile, channel: str, args: Json, *, room: bool = False) -> Outcome:
    """`room`: where messages are late, the first of them says so."""
    message = _composed(desk, file, args)
    if isinstance(message, Never):
        return message
    if message is None:
        return Done()
    if claim.uncertain:
        found = await posted(desk, channel, claim.key, file.incident.declared_at)
        if isinstance(found, Failure):
            return outcome(claim, found)
        if found is not None:
            return Done()
    now = desk.store.now()
    if room and late.unsaid(claim, file.incident, now):
        message = late.saying(message, late.lateness(claim, now))
    answer = await desk.slack.call("chat.postMessage", **posting(desk, channel, message, claim))
    if isinstance(answer, Failure):
        return outcome(claim, answer)
    return late.sent(claim, file.incident, now) if room else Done()


def _composed(desk: Desk, file: CaseFile, args: Json) -> Message | Never | None:
    try:
        return compose(file, desk.playbook, args, speed=desk.speed)
    except KeyError:
        return Never(f"this version of Firsthour has no message “{str(args.get('message', ''))[:60]}”")


async def pin(desk: Desk, claim: Claim) -> Outcome:
    """`{"channel", "ts"}`. A message that was deleted meanwhile needs no pin: what takes its place is pinned anew."""
    answer = await desk.slack.call("pins.add", channel=claim.args["channel"], timestamp=claim.args["ts"])
    if isinstance(answer, Answer) or answer.error == "message_not_found":
        return Done()
    return outcome(claim, answer)
