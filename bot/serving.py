"""Serves an application inside the running loop, next to everything else of the process.

Decides how the socket is bound and how serving begins and ends. Signals are `bot.app`'s: uvicorn's own handling is off.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from bot.incident.errors import Misconfigured


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Serving:
    """One listening address. `start` returns once it listens; `port` is the real one where 0 was asked for."""

    def __init__(self, app: ASGIApp, host: str, port: int, *, setting: str = "FIRSTHOUR_HTTP") -> None:
        """`setting`: the variable that names the address, for whoever has to change it."""
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", ws="none", server_header=False, proxy_headers=False,
            timeout_graceful_shutdown=5, timeout_keep_alive=30,
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
        """Take no more connections, let what is in hand finish (5 s), close."""
        if self._task is not None:
            self._server.should_exit = True
            await self._task
            self._task = None


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
