"""What every delivery handler is handed, and the answers that several of them give.

Decides how a failure of Slack's becomes an outcome for the runner. What is delivered is each handler's.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from sqlmodel import select

from bot.incident.casefile import CaseFile
from bot.incident.incident import Incident
from bot.incident.outward import LONGEST_WAIT, ROOM_AWAITED, ROOM_WAIT, Intent, IntentKind, IntentState
from bot.playbook import Playbook
from bot.settings import Organisation
from bot.slack.client import Slack
from bot.slack.failures import Failure
from bot.slack.kit import Message
from bot.store import Store, queries
from bot.store.intents import Claim
from bot.store.runner import Later, Never

EVENT_TYPE = "firsthour_intent"
QUIET = {"unfurl_links": False, "unfurl_media": False}


@dataclass(frozen=True)
class Desk:
    store: Store
    playbook: Playbook
    org: Organisation
    slack: Slack
    speed: float = 1.0
    deployment: str = ""
    """Which Firsthour posts; empty where nobody asks."""
    _reading: dict[int, asyncio.Task[CaseFile]] = field(default_factory=dict)
    """Reads that have been asked for and have not begun, by incident."""

    async def file(self, claim: Claim) -> CaseFile:
        """As the incident is after the claim. Intents of one incident that are claimed together share one read.

        Raises NotFound where the incident was deleted by hand.
        """
        assert claim.incident is not None
        number = claim.incident
        if number not in self._reading:
            self._reading[number] = asyncio.create_task(self._read(number), name=f"file:{number}")
        return await asyncio.shield(self._reading[number])  # whoever is cut short takes it from nobody else

    async def _read(self, number: int) -> CaseFile:
        del self._reading[number]  # who asks from here on may have been claimed after what this one sees
        async with self.store.read() as session:
            return await queries.case_file(session, number, self.store.now())

    async def incident(self, claim: Claim) -> Incident:
        """The incident alone, for what needs nothing else of it. Raises NotFound as `file` does."""
        assert claim.incident is not None
        async with self.store.read() as session:
            return await queries.incident(session, claim.incident)

    async def no_room(self, claim: Claim) -> Later | Never:
        """For an intent whose room is not open: it waits, unless opening was given up.

        Opening hurries it. What has waited for long is looked at less often: an outage is not the time to be busy.
        """
        wanted = select(Intent.state).where(Intent.incident == claim.incident, Intent.kind == IntentKind.OPEN_ROOM)
        async with self.store.read() as session:
            opening = (await session.exec(wanted)).first()
        if opening is IntentState.GIVEN_UP:
            return Never("the room could not be opened")
        after = max(ROOM_WAIT, min(LONGEST_WAIT, (self.store.now() - claim.wanted_at) / 4))
        return Later(ROOM_AWAITED, after=after, uncertain=claim.uncertain, counts=False)


def outcome(claim: Claim, failure: Failure) -> Later | Never:
    """Doubt about an earlier attempt stays until somebody has looked, whatever this attempt met."""
    if failure.permanent:
        return Never(failure.why)
    return Later(
        failure.why,
        after=failure.after,
        uncertain=failure.uncertain or claim.uncertain,
        counts=failure.after is None,
    )


def metadata(desk: Desk, claim: Claim) -> dict[str, object]:
    """What makes a posted message findable by the intent that posted it (design law 3). Ids only."""
    whose = {"deployment": desk.deployment} if desk.deployment else {}
    return {"event_type": EVENT_TYPE, "event_payload": {"key": claim.key, **whose}}


def posting(desk: Desk, channel: str, message: Message, claim: Claim) -> dict[str, object]:
    """The arguments of chat.postMessage."""
    return {"channel": channel, **message.payload(), "metadata": metadata(desk, claim), **QUIET}
