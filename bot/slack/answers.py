"""How an answer reaches the one person who asked: response URL, else an ephemeral message, else a direct message.

Decides the way and what is tried when a way fails; a form is opened with the trigger id. Answers are not intents: they
are worth something only now, and only to whoever waits. What is said is the feature's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.incident.errors import Refused
from bot.slack.feature import Answer, Modal, Shown
from bot.slack.inbound import SEPARATOR, Act
from bot.slack.kit import section
from bot.slack.limits import SECTION_CHARS
from bot.slack.text import Md

log = structlog.get_logger()

PATIENCE = 10.0
"""Seconds that one call may take."""
LONGEST_WAIT = 60.0
"""Seconds of Retry-After after which waiting for a second try is no use to anybody."""
LATE = frozenset({"expired_trigger_id", "invalid_trigger_id", "trigger_expired"})
TWICE = frozenset({"exchanged_trigger_id", "trigger_exchanged"})
BUSY = frozenset({"ratelimited", "rate_limited"})
Way = Callable[[], Awaitable[None]]


class NotSent(Exception):
    """This way did not work. `retry_after`: it will, after so many seconds."""

    def __init__(self, why: str, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class Answers:
    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def give(self, act: Act, answer: Answer) -> None:
        """Raises Refused where a form cannot be opened any more; an answer that reaches nobody is logged."""
        match answer:
            case None:
                return
            case Modal(view):
                await self._open(act, view)
            case Shown(text, blocks):
                await self._tell(act, text, blocks)
            case str():
                await self._tell(act, answer, ())

    async def _open(self, act: Act, view: View) -> None:
        shown = view.to_dict()
        shown["private_metadata"] = f"{act.channel or ''}{SEPARATOR}{shown.get('private_metadata') or ''}"
        try:
            async with asyncio.timeout(PATIENCE):
                await self._client.views_open(trigger_id=act.trigger_id or "", view=shown)
        except SlackApiError as error:
            why = str(error.response.get("error"))
            if why in TWICE:
                return  # the same click came twice; its form is open
            if why in LATE or why in BUSY:
                raise Refused("Slack did not open the form in time. Nothing was changed: please press again.") from None
            raise

    async def _tell(self, act: Act, text: str, blocks: Sequence[Block]) -> None:
        shown = [block.to_dict() for block in blocks or verbatim(text)]
        ways: list[Way] = []
        if act.response_url:
            ways.append(lambda: self._respond(str(act.response_url), text, shown))
        if act.channel:
            ways.append(lambda: self._ephemeral(str(act.channel), act.user, text, shown))
        ways.append(lambda: self._direct(act.user, text, shown))
        for way in ways:
            try:
                await _once_more(way)
            except NotSent as failed:
                log.info("answer.way_failed", key=act.key, why=str(failed))
            else:
                return
        log.error("answer.lost", key=act.key, user=act.user)

    async def _respond(self, url: str, text: str, blocks: list[dict[str, Any]]) -> None:
        hook = AsyncWebhookClient(url, session=self._client.session, retry_handlers=[], timeout=int(PATIENCE))
        try:
            async with asyncio.timeout(PATIENCE):
                sent = await hook.send_dict(
                    {"response_type": "ephemeral", "replace_original": False, "text": text, "blocks": blocks or None}
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotSent(type(error).__name__) from error
        if sent.status_code == 429:
            raise NotSent("ratelimited", _seconds(sent.headers))
        if sent.status_code != 200:
            raise NotSent(f"HTTP {sent.status_code}")

    async def _ephemeral(self, channel: str, user: str, text: str, blocks: list[dict[str, Any]]) -> None:
        await _call(
            lambda: self._client.chat_postEphemeral(channel=channel, user=user, text=text, blocks=blocks or None)
        )

    async def _direct(self, user: str, text: str, blocks: list[dict[str, Any]]) -> None:
        await _call(
            lambda: self._client.chat_postMessage(
                channel=user, text=text, blocks=blocks or None, unfurl_links=False, unfurl_media=False
            )
        )


def verbatim(text: str) -> list[Block]:
    """A bare text as sections: otherwise Slack would make a link of every address that somebody wrote into it."""
    pieces: list[str] = []
    for line in text.split("\n"):
        if pieces and len(pieces[-1]) + 1 + len(line) <= SECTION_CHARS:
            pieces[-1] = f"{pieces[-1]}\n{line}"
        else:
            pieces.append(line)
    return [section(Md(piece)) for piece in pieces if piece.strip()]


async def _call(call: Callable[[], Awaitable[object]]) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            await call()
    except SlackApiError as error:
        why = str(error.response.get("error"))
        busy = why in BUSY or error.response.status_code == 429
        raise NotSent(why, _seconds(error.response.headers) if busy else None) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise NotSent(type(error).__name__) from error


async def _once_more(way: Way) -> None:
    """Try; where Slack names a time, wait for it once. The act was acknowledged long ago: nobody is held up by this."""
    try:
        await way()
    except NotSent as busy:
        if busy.retry_after is None or busy.retry_after > LONGEST_WAIT:
            raise
        await asyncio.sleep(busy.retry_after)
        await way()


def _seconds(headers: Any) -> float:
    """`Retry-After`, whose name every server spells in its own case."""
    named = {str(name).casefold(): value for name, value in dict(headers).items()}
    given = str(named.get("retry-after", ""))
    return float(given) if given.isdigit() else 1.0
