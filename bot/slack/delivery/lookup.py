"""Looking before repeating: was the message of this intent posted already, is this channel there already (design law 3).

Decides how far to look. What follows from what was found is the handler's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.slack.client import Slack
from bot.slack.delivery.desk import EVENT_TYPE, Desk
from bot.slack.failures import Failure

PAGE, PAGES = 200, 25
CLOCKS_DIFFER = timedelta(hours=1)
"""History is read from so long before the incident, since Slack's clock and ours are not the same."""


async def posted(desk: Desk, channel: str, key: str, since: datetime) -> str | Failure | None:
    """The `ts` of the newest message of this deployment that carries the key; None where there is none."""
    oldest = f"{(since - CLOCKS_DIFFER).timestamp():.6f}"
    asked = {"channel": channel, "oldest": oldest, "include_all_metadata": True}
    async for page in pages(desk.slack, "conversations.history", asked):
        if isinstance(page, Failure):
            return page
        for message in page.get("messages", []):
            mark = mark_of(message)
            if mark is not None and mark.key == key and mark.deployment in {"", desk.deployment}:
                return str(message["ts"])
    return None


@dataclass(frozen=True)
class Mark:
    """What a message of Firsthour's carries."""

    key: str
    deployment: str


def mark_of(message: Mapping[str, Any]) -> Mark | None:
    """None for a message of anybody else."""
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    if metadata.get("event_type") != EVENT_TYPE or "key" not in payload:
        return None
    return Mark(str(payload["key"]), str(payload.get("deployment", "")))


async def pages(slack: Slack, method: str, asked: Mapping[str, Any], *, size: int = PAGE) -> AsyncIterator[Any]:
    """Page after page of a list; a Failure ends it."""
    cursor: dict[str, str] = {}
    for _ in range(PAGES):
        answer = await slack.call(method, **asked, limit=size, **cursor)
        if isinstance(answer, Failure):
            yield answer
            return
        yield answer.data
        following = (answer.data.get("response_metadata") or {}).get("next_cursor")
        if not following:
            return
        cursor = {"cursor": str(following)}
