"""Events come in: `POST /events`, `/events/litellm`, `/v1/traces`, `/v1/logs`, with a limit of their own of 8 MiB a body.

Decides who may send and in which turns the work is done. Plain ASGI before the rest of the application: 25,000 requests a second
leave no room for more. What an event becomes is the taker's.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog
from fastapi import HTTPException
from starlette.types import Receive, Scope, Send

from bot.detection.event import Event
from bot.detection.sources.decoded import Malformed
from bot.detection.sources.otlp_names import Names
from bot.incident.errors import Busy
from bot.ingress import edge, events_body
from bot.ingress.events_body import LIMIT, Head
from bot.ingress.events_routes import Answer, Outcome, Route, routes
from bot.serving import TooMuch, received
from bot.serving_http import Direct, Headers

log = structlog.get_logger()

AT_ONCE = 4
"""Large or packed bodies in memory at the same time. The next sender waits, and his bytes stay with him."""
NO_TOKEN = "Events are not taken here: FIRSTHOUR_INGEST_TOKEN is not set. Set it and start Firsthour again."  # noqa: S105 — words
NO_DETECTION = "Events are not taken here: detection is not running. The log of Firsthour's start says why."
WRONG_TOKEN = "Send the header `Authorization: Bearer <token>` with the token of this route."  # noqa: S105 — words


class Taken(Protocol):
    """What became of a batch."""

    @property
    def accepted(self) -> int: ...
    @property
    def duplicates(self) -> int: ...


class Taker(Protocol):
    """`bot.watch.watch.Watch`. `via` is the source: `native`, `litellm` or `otlp`."""

    async def take(self, events: Sequence[Event], *, via: str) -> Taken:
        """May raise Busy, where none of these was taken and they are to be sent again."""
        ...

    def rejected(self, count: int, *, via: str) -> None:
        """Told of events that could not be taken as they were sent."""
        ...


@dataclass(frozen=True)
class EventIntake:
    """What the routes need."""

    taker: Taker | None
    """None where detection does not run."""
    token: str | None
    names: Names
    now: Callable[[], float]
    """Unix seconds."""


class Events:
    """An ASGI application for the addresses in `paths`."""

    def __init__(self, intake: EventIntake) -> None:
        self._intake = intake
        self._routes = routes(intake.names)
        self.paths = frozenset(self._routes)
        self.direct: Mapping[bytes, Direct] = {
            path.encode(): partial(self._answer, route, "POST") for path, route in self._routes.items()
        }
        """The same for `bot.serving_http`: over ASGI a single event costs half as much again."""
        self._secret = (intake.token or "").encode()
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(self._routes[scope["path"]], scope["method"], scope["headers"], receive)
        if answer is not None:
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.head})
            await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, route: Route, method: str, headers: Headers, receive: Receive) -> Answer | None:
        head = Head.of(headers)
        try:
            return await self._asked(route, method, head, receive)
        except (HTTPException, TooMuch, Busy) as error:
            return route.refused(_refusal(error), head)
        except asyncio.CancelledError:
            return route.refused(edge.CutOff(), head)
        except Exception as error:
            failed = edge.Unexpected()
            log.exception("ingress.failed", reference=failed.reference, error=type(error).__name__)
            return route.refused(failed, head)

    def _asked(self, route: Route, method: str, head: Head, receive: Receive) -> Awaitable[Answer | None]:
        """What is awaited for the answer; None where the sender went away."""
        if method != "POST":
            raise HTTPException(405, "This address takes POST only.", {"Allow": "POST"})
        self._require_token(head)
        if self._intake.taker is None:
            raise HTTPException(503, NO_DETECTION)
        if head.small:
            return self._take(route, head, received(receive, LIMIT), self._intake.taker)
        return self._in_turn(route, head, receive, self._intake.taker)

    def _require_token(self, head: Head) -> None:
        if not self._secret:
            raise HTTPException(503, NO_TOKEN)
        scheme, sent = head.authorization[:7].lower(), head.authorization[7:].strip()
        if scheme != b"bearer " or not hmac.compare_digest(sent, self._secret):
            raise HTTPException(401, WRONG_TOKEN, {"WWW-Authenticate": "Bearer"})

    async def _in_turn(self, route: Route, head: Head, receive: Receive, taker: Taker) -> Answer | None:
        async with self._turns:
            return await self._take(route, head, events_body.read(head, receive), taker)

    async def _take(self, route: Route, head: Head, read: Awaitable[bytes | None], taker: Taker) -> Answer | None:
        """Slice by slice, with a turn for others in between."""
        body = await read
        if body is None:
            return None
        outcome, first = Outcome(), True
        try:
            for decoded in route.slices(body, head, self._intake.now()):
                if not first:
                    await asyncio.sleep(0)
                first = False
                if decoded.events:
                    taken = await taker.take(decoded.events, via=route.source)
                    outcome.accepted += taken.accepted
                    outcome.duplicates += taken.duplicates
                if decoded.rejected:
                    outcome.reject(decoded.rejected)
        except Malformed as error:
            raise HTTPException(400, str(error)) from None
        if outcome.bad:
            taker.rejected(outcome.bad, via=route.source)
        return route.taken(outcome, head)


def _refusal(error: HTTPException | TooMuch | Busy) -> HTTPException:
    match error:
        case TooMuch():
            return HTTPException(413, events_body.TOO_LARGE)
        case Busy():
            return HTTPException(503, str(error), {"Retry-After": edge.RETRY_AFTER})
        case HTTPException():
            return error
