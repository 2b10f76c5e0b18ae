"""A connection with faults, to stand between a connector and a server that does not speak HTTP.

Decides how each fault looks on the wire. HTTP has `bot.connectors.conformance.proxy`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from bot.connectors.conformance import Fault

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Wire:
    """Give the connector `port` on loopback instead of the server's address."""

    open: Callable[[], Awaitable[Streams]]
    """A new connection to the server."""
    is_order: Callable[[bytes], bool] = lambda _: False
    """Which requests change something: ERROR_AFTER_DOING and YES_WITHOUT_DOING concern only those."""
    yes: bytes = b""
    """A success that is none."""
    redirect: bytes = b""
    fault: Fault | None = None
    port: int = 0
    connections: set[asyncio.StreamWriter] = field(default_factory=set)
    _listening: asyncio.Server | None = None
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    @contextlib.asynccontextmanager
    async def having(self, fault: Fault) -> AsyncIterator[None]:
        self.fault, self._over = fault, asyncio.Event()
        if fault is Fault.DOWN:
            await self._stop()
        try:
            yield
        finally:
            self.fault = None
            self._over.set()
            if fault is Fault.DOWN:
                await self.listen()

    async def listen(self) -> None:
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=2**22)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        assert self._listening is not None
        self._listening.close()
        for writer in [*self.connections]:
            writer.transport.abort()
        await self._listening.wait_closed()

    async def close(self) -> None:
        self._over.set()
        await self._stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(writer)
        there, back = await self.open()
        self.connections.add(back)
        drop = asyncio.Event()
        both = [
            asyncio.create_task(self._asks(reader, writer, back, drop)),
            asyncio.create_task(self._answers(there, writer, drop)),
        ]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            for task in both:
                with contextlib.suppress(asyncio.CancelledError, OSError):
                    await task
            for one in (writer, back):
                self.connections.discard(one)
                one.transport.abort()

    async def _asks(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
        drop: asyncio.Event,
    ) -> None:
        while data := await reader.read(2**22):
            order = self.is_order(data)
            if self.fault is Fault.REDIRECT or (self.fault is Fault.YES_WITHOUT_DOING and order):
                writer.write(self.redirect if self.fault is Fault.REDIRECT else self.yes)
                continue
            if self.fault is Fault.ERROR_AFTER_DOING and order:
                drop.set()
            back.write(data)
            await back.drain()

    async def _answers(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, drop: asyncio.Event) -> None:
        while data := await there.read(2**22):
            if drop.is_set():
                return  # it was done; whoever asked gets a reset instead of the answer
            if self.fault is Fault.SLOW:
                await self._over.wait()
            writer.write(data)
            await writer.drain()
