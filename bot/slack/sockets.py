"""Socket Mode: several connections, so that one that is lost loses no command.

Decides how many connections there are, when one counts as lost, and what is measured. What arrives is `bolt`'s and the edge's.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
import structlog
from aiohttp import WSMessage
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

log = structlog.get_logger()

PING_SECONDS = 1.0
"""A connection that was cut without a word is noticed after about this long (10 s by default)."""
ADDRESS_SECONDS = 15.0
"""How long one address for a connection is tried; it works once and not for long."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds between attempts where Slack cannot be reached at the start."""
SERVER_ERROR = 500
ENVELOPE = re.compile(r'"envelope_id"\s*:\s*"([^"]{1,80})"')
Acked = Callable[[float], None]
"""Told after every acknowledgement how many seconds it took."""


class Timed(AsyncSocketModeHandler):
    """Measures from the arrival of an envelope to its acknowledgement."""

    acked: Acked | None = None

    def __init__(self, app: AsyncApp, app_token: str, *, ping_interval: float) -> None:
        super().__init__(app, app_token, ping_interval=ping_interval)
        self._arrived: dict[str, float] = {}
        self.client.on_message_listeners.append(self._arrives)

    async def _arrives(self, message: WSMessage) -> None:
        """Called with the frame as it was read, before it waits in any queue."""
        found = ENVELOPE.search(message.data) if isinstance(message.data, str) else None
        if found is not None:
            self._arrived[found[1]] = time.perf_counter()

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        began = self._arrived.pop(req.envelope_id, None) or time.perf_counter()
        await super().handle(client, req)
        if self.acked is not None:
            self.acked(time.perf_counter() - began)


class SocketMode:
    """Several connections: what is sent while one is being replaced arrives over another (slack.md §1.3)."""

    def __init__(self, handlers: Sequence[AsyncSocketModeHandler], on_reconnect: Callable[[], None] | None) -> None:
        self._handlers, self._on_reconnect = handlers, on_reconnect
        self.reconnects = 0
        self._lost_at: float | None = None
        self._connects = [self._mend(handler) for handler in handlers]
        self._beginning: asyncio.Task[None] | None = None

    @classmethod
    async def connect(
        cls,
        app: AsyncApp,
        app_token: str,
        *,
        connections: int = 2,
        ping_interval: float = PING_SECONDS,
        on_reconnect: Callable[[], None] | None = None,
        acked: Acked | None = None,
    ) -> SocketMode:
        """Returns when every connection stands, or Slack cannot be reached: then it goes on trying, and alerts are taken
        meanwhile (law 1). Raises SlackApiError where the app token is refused (law 7: no start)."""
        handlers = [Timed(app, app_token, ping_interval=ping_interval) for _ in range(connections)]
        for handler in handlers:
            handler.acked = acked
        mode = cls(handlers, on_reconnect)
        try:
            if not await mode._begin():
                mode._lost_at = time.monotonic()
                mode._beginning = asyncio.create_task(mode._begin_later(), name="socket")
        except BaseException:
            await mode.close()
            raise
        return mode

    async def _begin(self) -> bool:
        """False where Slack cannot be reached now. Raises SlackApiError where it refuses."""
        try:
            for handler in self._handlers:
                handler.client.wss_uri = await handler.client.issue_new_wss_url()
            await asyncio.gather(*(connect() for connect in self._connects))
        except SlackApiError as error:
            if error.response.status_code < SERVER_ERROR:
                raise
            log.warning("socket.unreachable", why=error.response.status_code)
            return False
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("socket.unreachable", why=type(error).__name__)
            return False
        return True

    async def _begin_later(self) -> None:
        wait = FIRST_WAIT
        while True:
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)
            try:
                if await self._begin():
                    return
            except SlackApiError as error:  # the token was revoked meanwhile: it may be given back
                log.warning("socket.refused", why=error.response.get("error"))

    def _mend(self, handler: AsyncSocketModeHandler) -> Callable[[], Awaitable[None]]:
        """Replace the client's `connect`, which would try one single-use address for ever, and tells nobody."""
        client, original = handler.client, handler.client.connect
        before = 0

        async def connect() -> None:
            nonlocal before
            if self._lost_at is None and not self.connected:
                self._lost_at = time.monotonic()
            while not client.closed:
                try:
                    async with asyncio.timeout(ADDRESS_SECONDS):
                        await original()  # type: ignore[no-untyped-call]
                        break
                except TimeoutError:
                    client.wss_uri = None
            self._lost_at = None
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

    @property
    def down_for(self) -> float:
        """Seconds since the last connection was lost; 0 while one stands."""
        if self.connected or self._lost_at is None:
            return 0.0
        return time.monotonic() - self._lost_at

    async def close(self) -> None:
        if self._beginning is not None:
            self._beginning.cancel()
            await asyncio.gather(self._beginning, return_exceptions=True)
        closing = [handler.client.close() for handler in self._handlers]  # type: ignore[no-untyped-call]
        await asyncio.gather(*closing, return_exceptions=True)
