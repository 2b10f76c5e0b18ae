"""Showing a surface: posted once, then kept up to date; nothing is sent where it shows the same already (design law 1).

Decides post, update or neither, and what is remembered of it. How a surface looks is its card's.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.incident.casefile import CaseFile
from bot.incident.outward import SURFACE_ORDER, IntentKind, Surface, SurfaceKind
from bot.slack.cards import render
from bot.slack.client import Answer
from bot.slack.delivery.channels import Channels
from bot.slack.delivery.desk import Desk, outcome, posting
from bot.slack.delivery.lookup import posted
from bot.slack.failures import Failure
from bot.slack.kit import Message
from bot.store import Unit
from bot.store.intents import Claim
from bot.store.runner import Done, Never, Outcome

GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""It was deleted, or can be changed no more: a new one takes its place."""
APART = 0.01
"""Seconds between the beginnings of posts that are sent side by side."""
UNREACHABLE = "unreachable"
"""Kept as the digest of what could not be shown for good, so that it is said once and tried again with the next change."""


@dataclass(frozen=True)
class Showing:
    """One attempt to show one surface."""

    desk: Desk
    claim: Claim
    file: CaseFile
    surface: Surface
    message: Message

    @property
    def digest(self) -> str:
        return self.message.digest()

    def shown(self, channel: str, ts: str | None) -> Done:
        """Remember where it is and what it shows; the card is pinned where it was posted."""
        surface_id, digest, before = self.surface.id, self.digest, self.surface.digest
        posted = ts is not None and ts != self.surface.ts
        pin = posted and self.surface.kind is SurfaceKind.CARD

        async def record(unit: Unit) -> None:
            row = await unit.session.get(Surface, surface_id)
            if row is None:
                return
            row.channel_id, row.ts, row.shown_at = channel, ts, unit.now
            if row.digest == before:  # else a resync came meanwhile: it wants this sent again
                row.digest = digest
            if posted and self.surface.kind is SurfaceKind.ANNOUNCEMENT:
                unit.measure_anew(self.file.incident)  # stakeholders are told with it
            if pin:
                incident = await unit.incident(row.incident)
                key = f"pin:{incident.number}:{ts}"
                await unit.intend(IntentKind.PIN, key, incident=incident, args={"channel": channel, "ts": ts})

        return Done(record)

    def failed(self, failure: Failure) -> Outcome:
        """What is impossible for good is said once. The timeline entry about it has surfaces shown anew: that must end."""
        if not failure.permanent:
            return outcome(self.claim, failure)
        if self.surface.digest == UNREACHABLE:
            return Done()
        surface_id = self.surface.id

        async def record(unit: Unit) -> None:
            row = await unit.session.get(Surface, surface_id)
            if row is not None:
                row.digest = UNREACHABLE

        return Never(failure.why, record)


async def show(desk: Desk, channels: Channels, claim: Claim) -> Outcome:
    file = await desk.file(claim)
    kind, part = SurfaceKind(claim.args["surface"]), str(claim.args.get("part", ""))
    surface = file.surface(kind, part)
    if surface is None:
        return Done()
    showing = Showing(desk, claim, file, surface, render(kind, part, file, desk.playbook, speed=desk.speed))
    if surface.digest == showing.digest and not claim.uncertain:  # an attempt that nobody recorded may have changed it
        return Done()
    if kind is SurfaceKind.ANNOUNCEMENT:
        place = surface.channel_id or await channels.announcements()
        if place is None:
            return Done()
        if isinstance(place, Failure):
            return showing.failed(place)
    elif file.incident.channel_id is None:
        return await desk.no_room(claim)
    elif kind is SurfaceKind.DECISIONS:
        place = surface.channel_id or await _with(desk, part.partition(":")[0])
        if isinstance(place, Failure):
            return showing.failed(place)
    else:
        place = file.incident.channel_id
    return await (_topic(showing, place) if kind is SurfaceKind.TOPIC else _message(showing, place))


async def _with(desk: Desk, person: str) -> str | Failure:
    """The channel of the direct messages with one person."""
    opened = await desk.slack.call("conversations.open", users=person)
    return opened if isinstance(opened, Failure) else str(opened.data["channel"]["id"])


async def _topic(showing: Showing, channel: str) -> Outcome:
    told = await showing.desk.slack.call("conversations.setTopic", channel=channel, topic=str(showing.message.text))
    return showing.failed(told) if isinstance(told, Failure) else showing.shown(channel, None)


async def _message(showing: Showing, channel: str) -> Outcome:
    surface, claim = showing.surface, showing.claim
    if surface.ts is not None:
        updated = await _update(showing, channel, surface.ts)
        if updated is not None:
            return updated
    if claim.uncertain:
        since = showing.file.incident.declared_at
        found = await posted(showing.desk, channel, claim.key, since)
        if isinstance(found, Failure):
            return showing.failed(found)
        if found is not None and found != surface.ts and (done := await _update(showing, channel, found)) is not None:
            return done
    return await _post(showing, channel)


async def _update(showing: Showing, channel: str, ts: str) -> Outcome | None:
    """None where there is nothing left to update."""
    answer = await showing.desk.slack.call("chat.update", channel=channel, ts=ts, **showing.message.payload())
    if isinstance(answer, Answer):
        return showing.shown(channel, ts)
    return None if answer.error in GONE else showing.failed(answer)


async def _post(showing: Showing, channel: str) -> Outcome:
    # The room's first messages are sent side by side; this keeps them in the order in which they are to be read.
    await asyncio.sleep(APART * SURFACE_ORDER[showing.surface.kind])
    slack, arguments = showing.desk.slack, posting(showing.desk, channel, showing.message, showing.claim)
    answer = await slack.call("chat.postMessage", **arguments)
    if isinstance(answer, Failure) and answer.error == "not_in_channel":
        joined = await slack.call("conversations.join", channel=channel)
        answer = joined if isinstance(joined, Failure) else await slack.call("chat.postMessage", **arguments)
    if isinstance(answer, Failure):
        return showing.failed(answer)
    return showing.shown(channel, str(answer.data["ts"]))
