"""Whom the workspace knows as a full member. Fails closed: who cannot be looked up may do nothing (design law 7).

Decides how long an answer is believed. Knows nothing of what a member may do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

log = structlog.get_logger()

FRESH = 5 * 60.0
"""Seconds for which an answer of Slack is believed."""
STALE = 60 * 60.0
"""Seconds for which the last answer still counts while Slack does not answer."""
PATIENCE = 2.0
"""Seconds that a lookup may take: somebody waits for the answer, and a trigger id lives 3 s."""
PEOPLE = 20_000
"""Answers kept; the oldest go first."""
NOBODY = frozenset({"user_not_found", "user_not_visible"})
BARRED = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger", "is_workflow_bot")


@dataclass(frozen=True)
class Known:
    full_member: bool
    at: float


class Directory:
    """Answers about people, kept for a while. Lookups of the same person at the same time are one call."""

    def __init__(self, client: AsyncWebClient, *, team: str | None = None, clock: Callable[[], float] = time.monotonic):
        self._client, self._team, self._clock = client, team, clock
        self._known: dict[str, Known] = {}
        self._asking: dict[str, asyncio.Task[bool]] = {}

    async def full_member(self, user_id: str) -> bool:
        """False for guests, bots, deactivated people, other organisations, and whoever Slack cannot name."""
        known = self._known.get(user_id)
        if known is not None and self._clock() - known.at < FRESH:
            return known.full_member
        asking = self._asking.get(user_id)
        if asking is None:
            asking = self._asking[user_id] = asyncio.create_task(self._ask(user_id))
            asking.add_done_callback(lambda _: self._asking.pop(user_id, None))
        return await asyncio.shield(asking)

    async def _ask(self, user_id: str) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                response = await self._client.users_info(user=user_id)
        except SlackApiError as error:
            if error.response.get("error") in NOBODY:
                return self._keep(user_id, full_member=False)
            return self._last_word(user_id, str(error.response.get("error")))
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return self._last_word(user_id, type(error).__name__)
        return self._keep(user_id, full_member=_is_full(response.get("user") or {}, self._team))

    def _keep(self, user_id: str, *, full_member: bool) -> bool:
        self._known.pop(user_id, None)
        self._known[user_id] = Known(full_member, self._clock())
        while len(self._known) > PEOPLE:
            self._known.pop(next(iter(self._known)))
        return full_member

    def _last_word(self, user_id: str, why: str) -> bool:
        known = self._known.get(user_id)
        believed = known is not None and self._clock() - known.at < STALE
        log.warning("directory.unanswered", user=user_id, why=why, last_answer_used=believed)
        return known.full_member if known is not None and believed else False


def _is_full(user: dict[str, Any], team: str | None) -> bool:
    elsewhere = team is not None and user.get("team_id") not in {None, team}
    return bool(user.get("id")) and not elsewhere and not any(user.get(mark) for mark in BARRED)
