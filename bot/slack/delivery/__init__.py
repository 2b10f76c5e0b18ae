"""Delivery: the handlers that carry intents out to Slack (design law 3). One file a kind of act.

Decides which handler serves which kind. Claiming, backoff and the end of an intent are the runner's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from bot.incident.document import Makers
from bot.incident.errors import NotFound
from bot.incident.outward import IntentKind
from bot.playbook import Playbook
from bot.settings import Organisation
from bot.slack.client import Slack
from bot.slack.delivery import home, invites, notices, owed, posts, rooms, surfaces, uploads
from bot.slack.delivery.channels import Channels
from bot.slack.delivery.desk import Desk
from bot.slack.delivery.people import People
from bot.slack.directory import Directory
from bot.slack.pace import Pace
from bot.store import Store
from bot.store.intents import Claim
from bot.store.runner import Handler, Never, Outcome


class Delivery:
    """One a process. `speed` as in `Context`: how much faster than the wall the first hour runs. `deployment`: see `Desk`.

    `documents`: what an `UPLOAD` may name; the rooms that make them are handed in by `bot.app`.
    """

    def __init__(
        self,
        store: Store,
        playbook: Playbook,
        org: Organisation,
        client: AsyncWebClient,
        pace: Pace,
        *,
        speed: float = 1.0,
        deployment: str = "",
        documents: Makers | None = None,
    ) -> None:
        slack = Slack(client, pace)
        self._desk = Desk(store, playbook, org, slack, speed, deployment)
        self._documents: Makers = documents or {}
        self._people = People(slack)
        self._directory = Directory(client)
        self._channels = Channels(slack, org.channels.announcements, private_too=org.private_rooms, now=pace.now)

    def handlers(self) -> Mapping[IntentKind, Handler]:
        desk, people = self._desk, self._people
        acts: dict[IntentKind, Callable[[Claim], Awaitable[Outcome]]] = {
            IntentKind.OPEN_ROOM: partial(rooms.open_room, desk),
            IntentKind.SHOW: partial(surfaces.show, desk, self._channels),
            IntentKind.INVITE: partial(invites.invite, desk, people),
            IntentKind.PIN: partial(posts.pin, desk),
            IntentKind.POST: partial(posts.post, desk, people),
            IntentKind.DIRECT: partial(_direct, desk, people),
            IntentKind.HOME: partial(home.publish, desk, self._directory),
            IntentKind.NOTICE: partial(notices.notice, desk, self._channels),
            IntentKind.UPLOAD: partial(uploads.upload, desk, self._documents),
        }
        return {kind: _of_an_incident(act) for kind, act in acts.items()}


async def _direct(desk: Desk, people: People, claim: Claim) -> Outcome:
    """What a person is told of one incident; or, of no incident, all that they owe."""
    return await (posts.direct if claim.incident is not None else owed.owed)(desk, people, claim)


def _of_an_incident(act: Callable[[Claim], Awaitable[Outcome]]) -> Handler:
    async def handle(claim: Claim) -> Outcome:
        try:
            return await act(claim)
        except NotFound:
            return Never("the incident was deleted")

    return handle


__all__ = ["Delivery"]
