"""Where announcements go: the channel that the organisation's file names, found once and remembered for a while.

Decides how long a name is believed, and a failure to find it: twenty announcements that wait cost one look-up. That
nothing is announced where there is no such channel is the promise of design §8.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bot.slack.client import Slack
from bot.slack.delivery.lookup import pages
from bot.slack.failures import Failure

CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{7,20}")
BELIEVED, ABSENT_BELIEVED = 600.0, 60.0
"""Seconds: a channel that was not there may be made meanwhile."""
FAILURE_BELIEVED = 1.0
"""Seconds, where Slack names none: whoever asks meanwhile comes back by their own backoff."""
CHANNELS_A_PAGE = 1000


class Channels:
    def __init__(
        self, slack: Slack, name: str, *, private_too: bool, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._slack, self._name, self._now = slack, name.removeprefix("#"), now
        self._types = "public_channel,private_channel" if private_too else "public_channel"
        self._found: str | Failure | None = None
        self._until = 0.0
        self._one_looks = asyncio.Lock()

    async def announcements(self) -> str | Failure | None:
        """The id of the stakeholders' channel; None where there is none that the bot can see.

        A failure leaves nothing in doubt: looking changes nothing.
        """
        if CHANNEL_ID.fullmatch(self._name):
            return self._name
        async with self._one_looks:
            if self._now() >= self._until:
                self._remember(await self._look())
        if isinstance(self._found, Failure) and self._found.after is not None:
            return replace(self._found, after=timedelta(seconds=max(0.0, self._until - self._now())))
        return self._found

    async def _look(self) -> str | Failure | None:
        asked = {"types": self._types, "exclude_archived": True}
        async for page in pages(self._slack, "conversations.list", asked, size=CHANNELS_A_PAGE):
            if isinstance(page, Failure):
                return replace(page, uncertain=False)
            for channel in page.get("channels", []):
                if self._name in {channel.get("name"), channel.get("name_normalized")}:
                    return str(channel["id"])
        return None

    def _remember(self, found: str | Failure | None) -> None:
        believed = BELIEVED if found is not None else ABSENT_BELIEVED
        if isinstance(found, Failure):
            believed = FAILURE_BELIEVED if found.after is None else found.after.total_seconds()
        self._found, self._until = found, self._now() + believed
