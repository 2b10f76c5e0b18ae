"""When messages are late, because Slack limits us, is out of reach, or we were stopped: the room is told, once a spell.

Decides when a message is late, when a spell ends, and the words. Nothing is posted for it: the first late message says so.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.incident.incident import Incident
from bot.slack.kit import Message, context, section
from bot.slack.text import Md, md
from bot.store import Unit
from bot.store.intents import Claim
from bot.store.runner import Done

LATE = timedelta(seconds=10)
SPELL = timedelta(minutes=10)
"""What was wanted so long after the room was told belongs to another spell. A message on time does not end one: after an
outage what is urgent arrives on time while the rest still catches up."""


def lateness(claim: Claim, now: datetime) -> timedelta:
    return max(timedelta(), now - claim.wanted_at)


def unsaid(claim: Claim, incident: Incident, now: datetime) -> bool:
    """Whether this message must say that it is late."""
    told = incident.late_told_at
    return lateness(claim, now) > LATE and (told is None or claim.wanted_at > told + SPELL)


def saying(message: Message, late: timedelta) -> Message:
    blocks = message.blocks or (section(message.text),)
    return replace(message, blocks=(*blocks, context(_words(late))))


def _words(late: timedelta) -> Md:
    seconds = int(late.total_seconds())
    long = md("{} minutes", seconds // 60) if seconds >= 120 else md("{} seconds", seconds)
    return md(
        "⏳ This message is {} late: Slack slowed Firsthour down or was out of reach, or Firsthour was stopped. "
        "Others may be late too.",
        long,
    )


def sent(claim: Claim, incident: Incident, now: datetime) -> Done:
    """Remembers that the room was told."""
    if not unsaid(claim, incident, now):
        return Done()

    async def record(unit: Unit) -> None:
        (await unit.incident(incident.number)).late_told_at = unit.now

    return Done(record)
