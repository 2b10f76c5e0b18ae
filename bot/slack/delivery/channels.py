"""Where announcements go: the channel that the organisation's file names, found once and remembered for a while.

Decides how long a name is believed. That nothing is announced where there is no such channel is the promise of design §8.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from bot.slack.client import Slack
from bot.slack.delivery.lookup import pages
from bot.slack.failures import Failure

CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{7,20}")
BELIEVED, ABSENT_BELIEVED = 600.0, 60.0
"""Seconds: a channel that was not there may be made meanwhile."""
CHANNELS_A_PAGE = 1000


class Channels:
    def __init__(
        self, slack: Slack, name: str, *, private_too: bool, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._slack, self._name, self._now = slack, name.removeprefix("#"), now
        self._types = "public_channel,private_channel" if private_too else "public_channel"
        self._found: str | None = None
        self._until = 0.0

    async def announcements(self) -> str | Failure | None:
        """The id of the stakeholders' channel; None where there is none that the bot can see."""
        if CHANNEL_ID.fullmatch(self._name):
            return self._name
        if self._now() < self._until:
            return self._found
        async for page in pages(
            self._slack,
            "conversations.list",
            {"types": self._types, "exclude_archived": True},
            size=CHANNELS_A_PAGE,
        ):
            if isinstance(page, Failure):
                return page
            for channel in page.get("channels", []):
                if self._name in {channel.get("name"), channel.get("name_normalized")}:
                    return self._remember(str(channel["id"]), BELIEVED)
        return self._remember(None, ABSENT_BELIEVED)

    def _remember(self, channel: str | None, seconds: float) -> str | None:
        self._found, self._until = channel, self._now() + seconds
        return channel
