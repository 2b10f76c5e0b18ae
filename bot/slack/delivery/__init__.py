"""Delivery: the handlers that carry intents out to Slack (design law 3). One file a kind of act.

Decides which handler serves which kind. Claiming, backoff and the end of an intent are the runner's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from bot.incident.errors import NotFound
from bot.incident.outward import IntentKind
from bot.playbook import Playbook
from bot.settings import Organisation
from bot.slack.client import Slack
from bot.slack.delivery import invites, notices, posts, rooms, surfaces
from bot.slack.delivery.channels import Channels
from bot.slack.delivery.desk import Desk
from bot.slack.delivery.people import People
from bot.slack.pace import Pace
from bot.store import Store
from bot.store.intents import Claim
from bot.store.runner import Handler, Never, Outcome


class Delivery:
    """One a process. `speed` as in `Context`: how much faster than the wall the first hour runs. `deployment`: see `Desk`."""

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
    ) -> None:
        slack = Slack(client, pace)
        self._desk = Desk(store, playbook, org, slack, speed, deployment)
        self._people = People(slack)
        self._channels = Channels(slack, org.channels.announcements, private_too=org.private_rooms, now=pace.now)

    def handlers(self) -> Mapping[IntentKind, Handler]:
        desk, people = self._desk, self._people
        acts: dict[IntentKind, Callable[[Claim], Awaitable[Outcome]]] = {
            IntentKind.OPEN_ROOM: partial(rooms.open_room, desk),
            IntentKind.SHOW: partial(surfaces.show, desk, self._channels),
            IntentKind.INVITE: partial(invites.invite, desk, people),
            IntentKind.PIN: partial(posts.pin, desk),
            IntentKind.POST: partial(posts.post, desk, people),
            IntentKind.DIRECT: partial(posts.direct, desk, people),
            IntentKind.NOTICE: partial(notices.notice, desk, self._channels),
        }
        return {kind: _of_an_incident(act) for kind, act in acts.items()}


def _of_an_incident(act: Callable[[Claim], Awaitable[Outcome]]) -> Handler:
    async def handle(claim: Claim) -> Outcome:
        try:
            return await act(claim)
        except NotFound:
            return Never("the incident was deleted")

    return handle


__all__ = ["Delivery"]
