"""Calls of Slack's Web API: one try, within a time-out and a budget, and what came of it as a value.

Decides what counts as done, later and never, and that nothing is retried here: a retry of a reset call can post a message
twice, so the store repeats, after looking (design law 3). What follows from a failure is each handler's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.failures import ALREADY, LIMITED, Failure, refused
from bot.slack.pace import POSTING, Pace

log = structlog.get_logger()

TIMEOUT_SECONDS = 8.0
RETRY_AFTER_SECONDS = 1.0
"""Where a 429 names no time."""


def slack_session() -> aiohttp.ClientSession:
    """One session for all calls: with a shared session the client's own time-out is ignored (slack.md §5.7)."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))


Called = Callable[[str, str], None]
"""Told of every call: the method, and `ok`, `limited`, `refused`, `error` (Slack's own) or `unreached`."""


class Counted(AsyncWebClient):
    """Whoever calls, and however: every call of the Web API is counted here."""

    called: Called | None = None

    async def api_call(self, api_method: str, **args: Any) -> AsyncSlackResponse:
        outcome = "unreached"
        try:
            response = await super().api_call(api_method, **args)
        except SlackApiError as error:
            outcome = _spelled(error)
            raise
        else:
            outcome = "ok"
            return response
        finally:
            if self.called is not None:
                self.called(api_method, outcome)


def _spelled(error: SlackApiError) -> str:
    answer = _said_no("", error)
    if isinstance(answer, Answer):
        return "ok"
    if answer.error in LIMITED:
        return "limited"
    return "error" if answer.uncertain else "refused"


def slack_client(
    token: str, base_url: str, session: aiohttp.ClientSession, called: Called | None = None
) -> AsyncWebClient:
    """A client without retry handlers of its own."""
    client = Counted(token=token, base_url=base_url, session=session, timeout=int(TIMEOUT_SECONDS), retry_handlers=[])
    client.called = called
    return client


@dataclass(frozen=True)
class Answer:
    data: Mapping[str, Any]
    already: bool = False
    """It was so before: `already_in_channel` and its kind."""


class Slack:
    def __init__(self, client: AsyncWebClient, pace: Pace) -> None:
        self.client, self.pace = client, pace

    def place(self, method: str) -> Failure | None:
        """Take the place of one later `placed` call: who asks first goes first, however long the reads between take."""
        return _paced(method, self.pace.take(method))

    async def call(self, method: str, **args: Any) -> Answer | Failure:
        """Call `conversations.create` and its kind by name. Never raises for what Slack or the network did."""
        paced = _paced(method, self.pace.take(method, args.get("channel") if method in POSTING else None))
        return paced or await self.placed(method, **args)

    async def placed(self, method: str, **args: Any) -> Answer | Failure:
        """`call`, at a place that was taken before."""
        outcome = await self._try(method, args)
        if isinstance(outcome, Failure):
            if outcome.error in LIMITED:
                self.pace.limited(method, (outcome.after or timedelta()).total_seconds())
            log.info("slack.failed", method=method, error=outcome.error, permanent=outcome.permanent)
        return outcome

    async def _try(self, method: str, args: Mapping[str, Any]) -> Answer | Failure:
        send = getattr(self.client, method.replace(".", "_"))
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                response = await send(**args)
        except SlackApiError as error:
            return _said_no(method, error)
        except aiohttp.ClientConnectorError:
            return Failure(method, "not_reached", "Slack could not be reached")
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            return Failure(method, "no_answer", "Slack did not answer", uncertain=True)
        return Answer(response.data if isinstance(response.data, dict) else {})


def _paced(method: str, wait: float) -> Failure | None:
    if wait <= 0:
        return None
    return Failure(method, "paced", "waits for Slack's rate limit", after=timedelta(seconds=wait))


def _said_no(method: str, error: SlackApiError) -> Answer | Failure:
    """`error.response` is the SDK's response, or aiohttp's own where the body was no JSON."""
    response: Any = error.response
    status: int = getattr(response, "status_code", 0) or getattr(response, "status", 0)
    body = getattr(response, "data", None)
    data: Mapping[str, Any] = body if isinstance(body, dict) else {}
    code = str(data.get("error") or "")
    if status == 429 or code in LIMITED:
        after = timedelta(seconds=_retry_after(getattr(response, "headers", {})))
        return Failure(method, "ratelimited", "Slack asks to slow down", after=after, data=data)
    if code in ALREADY:
        return Answer(data, already=True)
    if status >= 500:
        return Failure(method, f"http_{status}", "Slack had an error of its own", uncertain=True, data=data)
    if not code:
        return Failure(method, "unreadable", "Slack's answer could not be read", uncertain=True)
    return refused(method, code, data)


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds; Slack writes whole ones. A name of any case, since the SDK hands on a plain mapping."""
    given = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        return max(0.0, float(given))
    except ValueError:
        return RETRY_AFTER_SECONDS
