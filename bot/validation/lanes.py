"""Connections to one target: one for each conversation that is held at once.

Decides how they are kept and shared. What is sent over them, and within which limits, is `wire`'s.

No client of httpx stands between: its pool looks at all connections for each request, which with 32 of them costs five times as
much of the processor as everything else (`make bench ARGS=validation`); and it remembers cookies, by which one trial would know
another.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Self

import httpx


@cache
def _tls() -> ssl.SSLContext:
    """The certificates that are trusted, read once: it takes as long as a hundred trials."""
    return httpx.create_ssl_context(trust_env=False)


class Lanes:
    def __init__(self) -> None:
        self._free: list[httpx.AsyncHTTPTransport] = []
        self._made: list[httpx.AsyncHTTPTransport] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for lane in self._made:
            await lane.aclose()

    @contextmanager
    def one(self) -> Iterator[httpx.AsyncHTTPTransport]:
        """The one that was used last, or a new one. Nothing is taken from the environment, and no redirect is followed."""
        lane = self._free.pop() if self._free else self._new()
        try:
            yield lane
        finally:
            self._free.append(lane)

    def _new(self) -> httpx.AsyncHTTPTransport:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        lane = httpx.AsyncHTTPTransport(verify=_tls(), trust_env=False, limits=limits)
        self._made.append(lane)
        return lane
