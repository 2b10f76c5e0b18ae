"""Serves an application inside the running loop, next to everything else of the process.

Decides how the socket is bound, how serving begins and ends, and how a body is read where no framework does it. Signals are
`bot.app`'s: uvicorn's own handling is off.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp, Receive

from bot.incident.errors import Misconfigured
from bot.serving_http import Connection

GRACE = 5
"""Seconds that what is in hand has at the end. After that it is cancelled."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Serving:
    """One listening address. `start` returns once it listens; `port` is the real one where 0 was asked for."""

    def __init__(self, app: ASGIApp, host: str, port: int, *, setting: str = "FIRSTHOUR_HTTP") -> None:
        """`setting`: the variable that names the address, for whoever has to change it."""
        config = uvicorn.Config(
            app, interface="asgi3", http=Connection, log_config=None, access_log=False, lifespan="off", ws="none",
            server_header=False, proxy_headers=False, timeout_graceful_shutdown=GRACE, timeout_keep_alive=30,
        )  # fmt: skip
        self._server = _Server(config)
        self._address = (host, port)
        self._setting = setting
        self._task: asyncio.Task[None] | None = None
        self.port = port

    async def start(self) -> None:
        """Raises Misconfigured where the address cannot be bound. Who connects before uvicorn took over waits in the queue."""
        listening = _bind(*self._address, self._setting)
        self.port = listening.getsockname()[1]
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]), name=self._setting.lower())

    async def stop(self) -> None:
        """Take no more connections, let what is in hand finish (`GRACE`), close."""
        if self._task is not None:
            self._server.should_exit = True
            await self._task
            self._task = None


class TooMuch(Exception):
    """A body is larger than what is taken at its address. Its sender is told in words by whoever serves it."""

    def __init__(self, most: int) -> None:
        """`most`: bytes."""
        self.most = most


async def received(receive: Receive, most: int) -> bytes | None:
    """A whole body over plain ASGI; None where the sender went away.

    Counted while it comes: raises TooMuch before more than `most` bytes are in memory. How long it may take is the caller's.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > most:
            raise TooMuch(most)
        if not message.get("more_body", False):
            return b"".join((*parts, part)) if parts else part
        parts.append(part)


def _bind(host: str, port: int, setting: str) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        why = error.strerror or "it cannot be used"
        raise Misconfigured(f"{setting} names {host}:{port}, which cannot be bound: {why}.") from error
    # asyncio turns Nagle's algorithm off only where a socket says that it is TCP's, which those of `create_server` do not. Head
    # and body of an answer are two writes: the second would wait 40 ms for the acknowledgement of the first.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # whatever is accepted has it, too
    listening.setblocking(False)
    return listening
