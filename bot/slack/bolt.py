"""Bolt and Socket Mode: the app that hands everything to the edge, and the connections over which it comes.

Decides how fast an act is acknowledged and that one lost connection loses no command. What an act means is the edge's.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import inbound
from bot.slack.directory import Directory
from bot.slack.edge import DECLARE, Edge
from bot.slack.feature import Feature
from bot.slack.parse import COMMAND
from bot.store import Store

log = structlog.get_logger()
C = TypeVar("C")
ANY = re.compile(r".*", re.DOTALL)
FRAMEWORK = "firsthour.slack"
PING_SECONDS = 1.0
"""A connection that was cut without a word is noticed after about this long (10 s by default)."""
ADDRESS_SECONDS = 15.0
"""How long one address for a connection is tried; it works once and not for long."""

__all__ = ["App", "AsyncSlackRequestHandler", "SocketMode", "build_app"]


class App(AsyncApp):
    """The Bolt app with its edge, which is to be drained before the process ends."""

    edge: Edge[Any]


def build_app(
    client: AsyncWebClient,
    features: Sequence[Feature[C]],
    ctx: C,
    store: Store,
    directory: Directory,
    signing_secret: str | None = None,
) -> App:
    """Nothing is asked of Slack here or before an acknowledgement: the token is taken as it is.

    `process_before_response` because every listener below only starts work and returns: so the acknowledgement leaves
    at once instead of at the next look of Bolt's runner (10 ms), and nothing that fails later can take it back.
    """
    quiet = logging.getLogger(FRAMEWORK)
    quiet.setLevel(logging.ERROR)
    app = App(
        client=client,
        logger=quiet,
        signing_secret=signing_secret or "",
        authorize=_authorise(client),
        process_before_response=True,
        raise_error_for_unhandled_request=True,
    )
    app.edge = Edge(client, features, ctx, store, directory)
    _register(app, app.edge)
    return app


def _authorise(client: AsyncWebClient) -> Callable[..., Any]:
    async def authorise(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=client.token)

    return authorise


def _register(app: AsyncApp, edge: Edge[C]) -> None:
    """One listener a kind of payload. Which feature is meant is looked up by name: a button of yesterday is answered too."""

    async def command(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        edge.command(inbound.slash(body))

    async def click(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        edge.click(inbound.click(body))

    async def shortcut(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        edge.shortcut(inbound.shortcut(body))

    async def form(ack: AsyncAck, body: dict[str, Any]) -> None:
        errors = edge.form(inbound.submission(body))
        await (ack(response_action="errors", errors=dict(errors)) if errors else ack())

    async def event(ack: AsyncAck) -> None:
        await ack()

    async def failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
        """Whatever happened, Slack is told that it arrived (P2): a repeat would not help, and would count twice."""
        if isinstance(error, BoltUnhandledRequestError):
            log.info("edge.unhandled", type=body.get("type"))
        elif (who := inbound.someone(body)) is not None:
            edge.failed(who, error)
        else:
            log.error("edge.failed", error=type(error).__name__, exc_info=error)
        return BoltResponse(status=200, body="")

    app.command(COMMAND)(command)
    app.action(ANY)(click)
    app.view_submission(ANY)(form)
    app.shortcut(DECLARE)(shortcut)
    app.event(ANY)(event)
    app.error(failed)


class SocketMode:
    """Several connections: what is sent while one is being replaced arrives over another (slack.md §1.3)."""

    def __init__(self, handlers: Sequence[AsyncSocketModeHandler], on_reconnect: Callable[[], None] | None) -> None:
        self._handlers, self._on_reconnect = handlers, on_reconnect
        self.reconnects = 0

    @classmethod
    async def connect(
        cls,
        app: AsyncApp,
        app_token: str,
        *,
        connections: int = 2,
        ping_interval: float = PING_SECONDS,
        on_reconnect: Callable[[], None] | None = None,
    ) -> SocketMode:
        """Returns when every connection stands. Raises SlackApiError where the app token is refused (law 7: no start)."""
        handlers = [AsyncSocketModeHandler(app, app_token, ping_interval=ping_interval) for _ in range(connections)]
        mode = cls(handlers, on_reconnect)
        try:
            for handler in handlers:
                handler.client.wss_uri = await handler.client.issue_new_wss_url()
            await asyncio.gather(*(mode._mend(handler)() for handler in handlers))
        except BaseException:
            await mode.close()
            raise
        return mode

    def _mend(self, handler: AsyncSocketModeHandler) -> Callable[[], Awaitable[None]]:
        """Replace the client's `connect`, which would try one single-use address for ever, and tells nobody."""
        client, original = handler.client, handler.client.connect
        before = 0

        async def connect() -> None:
            nonlocal before
            while not client.closed:
                try:
                    async with asyncio.timeout(ADDRESS_SECONDS):
                        await original()  # type: ignore[no-untyped-call]
                        break
                except TimeoutError:
                    client.wss_uri = None
            before += 1
            if before > 1 and not client.closed:
                self.reconnects += 1
                log.info("socket.reconnected", reconnects=self.reconnects)
                if self._on_reconnect is not None:
                    self._on_reconnect()

        client.connect = connect  # type: ignore[method-assign]
        return connect

    @property
    def connected(self) -> int:
        """Connections that stand now."""
        sessions = (handler.client.current_session for handler in self._handlers)
        return sum(session is not None and not session.closed for session in sessions)

    async def close(self) -> None:
        closing = [handler.client.close() for handler in self._handlers]  # type: ignore[no-untyped-call]
        await asyncio.gather(*closing, return_exceptions=True)
