"""Messages of another Firsthour in our channels: two deployments that share an app's tokens, but no database.

Decides what counts as foreign. What is said of it, and how it is mended, is the doctor's.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.delivery.lookup import Mark, mark_of

LATEST = 100
"""So many of the channel's latest messages are looked at."""
NUMBER = re.compile(r"^show:(\d+):")
"""`show:12:announcement:`: the messages of the announcements' channel."""
Known = Callable[[set[int]], Awaitable[set[int]]]
"""Which of these incidents this store has."""


@dataclass(frozen=True)
class Strangers:
    looked_at: int
    """Messages of any Firsthour."""
    foreign: int
    deployments: tuple[str, ...]
    """Names of the others, where their messages carry one."""
    incidents: tuple[int, ...]
    """Numbers that stand in foreign messages."""


async def strangers(client: AsyncWebClient, channel: str, *, deployment: str | None, known: Known) -> Strangers:
    """Raises what the client raises. `deployment`: our name, None where this store has none yet."""
    page = await client.conversations_history(channel=channel, limit=LATEST, include_all_metadata=True)
    messages: Iterable[Mapping[str, Any]] = page.get("messages") or []
    marks = [mark for message in messages if (mark := mark_of(message)) is not None]
    unnamed = {number for mark in marks if not mark.deployment and (number := _number(mark)) is not None}
    ours = await known(unnamed) if unnamed else set()
    foreign = [mark for mark in marks if _foreign(mark, deployment, ours)]
    numbers = {number for mark in foreign if (number := _number(mark)) is not None}
    names = {mark.deployment for mark in foreign if mark.deployment}
    return Strangers(len(marks), len(foreign), tuple(sorted(names)), tuple(sorted(numbers)))


def _foreign(mark: Mark, deployment: str | None, ours: set[int]) -> bool:
    if mark.deployment:
        return mark.deployment != deployment
    number = _number(mark)
    return number is not None and number not in ours


def _number(mark: Mark) -> int | None:
    found = NUMBER.match(mark.key)
    return int(found[1]) if found else None
