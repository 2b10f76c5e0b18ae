"""Opening the room: a channel of its own, private, found again after a crash, never shared with another incident.

Decides its name, whose channel counts as ours, and what is shown and who is invited once it is open. Exactly one call of
Slack stands between an incident and its card.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from bot.incident.incident import SYSTEM, Incident
from bot.incident.outward import ROOM_AWAITED, IntentKind, SurfaceKind
from bot.incident.timeline import Happened
from bot.slack.client import Answer
from bot.slack.delivery.desk import Desk, outcome
from bot.slack.delivery.lookup import pages
from bot.slack.failures import Failure
from bot.slack.text import room_name
from bot.store import Unit, queries
from bot.store.intents import Claim, hurry, more_urgent
from bot.store.runner import Done, Later, Never, Outcome

log = structlog.get_logger()

CREATE = "conversations.create"
NAMES = 9
"""So many names are tried: the plain one, then with -2 to -9."""
CHANNELS_A_PAGE = 1000
YIELD = timedelta(seconds=0.1)
BEFORE = timedelta(seconds=60)
"""A channel that was made so long before the incident was declared was made for another one."""


async def open_room(desk: Desk, claim: Claim) -> Outcome:
    # Claims begin in the order of their urgency; their reads may end in any other.
    if (full := desk.slack.place(CREATE)) is not None:
        return outcome(claim, full)
    async with desk.store.read() as session:
        incident = await queries.incident(session, claim.incident or 0)
        overtakes = await more_urgent(session, claim, desk.store.now())
    if incident.channel_id is not None:
        return Done()
    if overtakes:  # what is put off comes back at its own instant, and a milder one may be there a moment before it
        desk.slack.pace.give_back(CREATE)
        return Later("a more severe incident comes first", after=YIELD, uncertain=claim.uncertain, counts=False)
    names = [_name(desk, incident, attempt) for attempt in range(1, NAMES + 1)]
    if claim.uncertain:
        found = await _ours(desk, incident)
        if found is not None:
            return outcome(claim, found) if isinstance(found, Failure) else await _opened(desk, incident, found)
    return await _create(desk, claim, incident, names)


def _name(desk: Desk, incident: Incident, attempt: int) -> str:
    """Named after the trigger where the playbook knows it: what an attacker wrote names no channel."""
    known = desk.playbook.triggers.get(incident.trigger or "")
    titles = (known.title, known.id) if known else (incident.title, incident.trigger)
    return room_name(incident.number, incident.severity, *titles, attempt=attempt)


async def _create(desk: Desk, claim: Claim, incident: Incident, names: list[str]) -> Outcome:
    looked = claim.uncertain
    for name in names:
        create = desk.slack.placed if name == names[0] else desk.slack.call
        made = await create(CREATE, name=name, is_private=desk.org.private_rooms)
        if isinstance(made, Answer):
            return await _opened(desk, incident, made.data["channel"])
        if made.error != "name_taken":
            return outcome(claim, made)
        if not looked:
            looked, found = True, await _ours(desk, incident)
            if found is not None:
                return outcome(claim, found) if isinstance(found, Failure) else await _opened(desk, incident, found)
    return Never(f"all of the names {names[0]} to {names[-1]} are taken. Rename or delete one of those channels")


async def _ours(desk: Desk, incident: Incident) -> Mapping[str, Any] | Failure | None:
    """A channel that this bot made for this incident, whatever its severity was then, and that no incident has recorded."""
    prefix = f"inc-{incident.number:04d}-"
    me = await desk.slack.call("auth.test")
    if isinstance(me, Failure):
        return me
    kind = "private_channel" if desk.org.private_rooms else "public_channel"
    asked = {"types": kind, "exclude_archived": True}
    async for page in pages(desk.slack, "conversations.list", asked, size=CHANNELS_A_PAGE):
        if isinstance(page, Failure):
            return page
        for channel in page.get("channels", []):
            mine = channel.get("creator") == me.data.get("user_id")
            if mine and str(channel.get("name", "")).startswith(prefix) and await _free(desk, incident, channel):
                return dict(channel)
    return None


async def _free(desk: Desk, incident: Incident, channel: Mapping[str, Any]) -> bool:
    made_at = datetime.fromtimestamp(float(channel.get("created", 0)), UTC)
    if made_at < incident.declared_at - BEFORE:
        return False
    async with desk.store.read() as session:
        return await queries.in_channel(session, str(channel["id"])) is None


async def _opened(desk: Desk, incident: Incident, channel: Mapping[str, Any]) -> Outcome:
    channel_id, name = str(channel["id"]), str(channel["name"])
    if desk.org.private_rooms and not channel.get("is_private"):
        await desk.slack.call("conversations.archive", channel=channel_id)
        log.error("room.not_private", incident=incident.number)
        return Never("Slack made the room public although it must be private, so it was archived unused")

    async def record(unit: Unit) -> None:
        now = await unit.incident(incident.number)
        if now.channel_id is not None:
            return
        now.channel_id, now.channel_name = channel_id, name
        unit.record(now, Happened.ROOM_OPENED, SYSTEM, channel=channel_id, name=name)
        await unit.open_surfaces(now)
        await unit.show(now, SurfaceKind.TOPIC)
        await _invite_roster(desk, unit, now)
        await hurry(unit, now.number, ROOM_AWAITED)

    return Done(record)


async def _invite_roster(desk: Desk, unit: Unit, incident: Incident) -> None:
    roles = list(desk.playbook.severities[incident.severity].notify)
    key = f"invite:{incident.number}:roster:{incident.severity.value}"
    await unit.intend(IntentKind.INVITE, key, incident=incident, args={"roles": roles})
