"""Notices: what the stakeholders' channel is told that belongs to no incident. So far, that everybody's findings are suppressed.

Decides the words: who, what and until when; why is shown by `/incident suppressions`, to members. It is posted once, like
every post: it carries its intent's key, and is looked for before it is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.incident.errors import NotFound
from bot.incident.registered import Suppression
from bot.slack.delivery.channels import Channels
from bot.slack.delivery.desk import Desk, outcome, posting
from bot.slack.delivery.lookup import posted
from bot.slack.failures import Failure
from bot.slack.kit import Message, section
from bot.slack.text import Md, code, md, when, who
from bot.store.intents import Claim
from bot.store.runner import Done, Never, Outcome


async def notice(desk: Desk, channels: Channels, claim: Claim) -> Outcome:
    """`{"notice": name, "suppression": number}`. Without such a channel nothing is said (design §8)."""
    words = NOTICES.get(str(claim.args.get("notice")))
    if words is None:
        return Never(f"this version of Firsthour has no notice “{str(claim.args.get('notice'))[:60]}”")
    channel = await channels.announcements()
    if isinstance(channel, Failure):
        return outcome(claim, channel)
    if channel is None:
        return Done()
    about = await _suppression(desk, int(claim.args["suppression"]))
    if claim.uncertain:
        found = await posted(desk, channel, claim.key, about.made_at)
        if isinstance(found, Failure):
            return outcome(claim, found)
        if found is not None:
            return Done()
    text = words(about)
    message = Message(text, (section(text),))
    answer = await desk.slack.call("chat.postMessage", **posting(desk, channel, message, claim))
    return outcome(claim, answer) if isinstance(answer, Failure) else Done()


async def _suppression(desk: Desk, number: int) -> Suppression:
    async with desk.store.read() as session:
        found = await session.get(Suppression, number)
    if found is None:
        raise NotFound("The suppression was deleted by hand.")
    return found


def suppression_made(about: Suppression) -> Md:
    return md(
        ":warning: Findings about everybody{} open no incidents from {} until {}: {} suppressed them. `/incident suppressions` "
        "shows why, and how to lift it.",
        _of(about),
        when(about.starts_at, "both"),
        when(about.ends_at, "both"),
        who(about.made_by),
    )


def suppression_lifted(about: Suppression) -> Md:
    lifted = who(about.lifted_by or about.made_by)
    return md("Findings about everybody{} open incidents again: {} lifted their suppression.", _of(about), lifted)


def _of(about: Suppression) -> Md:
    return md(" by the trigger {}", code(about.trigger)) if about.trigger else Md("")


NOTICES: Mapping[str, Callable[[Suppression], Md]] = {
    words.__name__: words for words in (suppression_made, suppression_lifted)
}
