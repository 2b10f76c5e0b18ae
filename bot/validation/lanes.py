"""Connections to one target: one for each conversation that is held at once.

Decides how they are kept and shared. What is sent over them, and within which limits, is `wire`'s.

No client of httpx stands between: its pool looks at all connections for each request, which with 32 of them costs five times as
much of the processor as everything else (`make bench ARGS=validation`); and it remembers cookies, by which one trial would know
another. A lane is a transport of httpx over the sockets of asyncio.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Self

import httpcore
import httpx

from bot.validation.sockets import Sockets


@cache
def _tls() -> ssl.SSLContext:
    """The certificates that are trusted, read once: it takes as long as a hundred trials."""
    return httpx.create_ssl_context(trust_env=False)


class Lanes:
    def __init__(self) -> None:
        self._free: list[Lane] = []
        self._made: list[Lane] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for lane in self._made:
            await lane.aclose()

    @contextmanager
    def one(self) -> Iterator[Lane]:
        """The one that was used last, or a new one. Nothing is taken from the environment, and no redirect is followed."""
        lane = self._free.pop() if self._free else self._new()
        try:
            yield lane
        finally:
            self._free.append(lane)

    def _new(self) -> Lane:
        lane = Lane()
        self._made.append(lane)
        return lane


class Lane(httpx.AsyncBaseTransport):
    """One connection, made anew where the other side has closed it. Raises what httpx raises."""

    def __init__(self) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(), max_connections=1, max_keepalive_connections=1, network_backend=Sockets()
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url, stream = request.url, request.stream
        assert isinstance(stream, httpx.AsyncByteStream)
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        asked = httpcore.Request(method=request.method, url=target, headers=request.headers.raw, content=stream)
        with _as_httpx():
            answer = await self._pool.handle_async_request(asked)
        return httpx.Response(answer.status, headers=answer.headers, stream=Body(answer))

    async def aclose(self) -> None:
        await self._pool.aclose()


class Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for part in self._answer.aiter_stream():
                yield part

    async def aclose(self) -> None:
        await self._answer.aclose()


@contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
        raise httpx.ConnectError(str(error)) from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
        raise httpx.TransportError(str(error)) from error
