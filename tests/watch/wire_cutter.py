"""A way to Valkey that can be cut: before a message gets there, or after it got there and before its answer is back.

What a crash or a lost connection leaves behind depends on nothing else, so every place of a batch can be tried in turn.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from enum import StrEnum


class Cut(StrEnum):
    BEFORE = "before it arrives"
    AFTER = "before its answer is back"


class Way:
    """A TCP proxy on loopback. Messages are counted over all connections; small ones are one each."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.messages = 0
        self.cuts = 0
        self._to = port
        self._at: int | None = None
        self._how = Cut.BEFORE
        self._shut = False
        self.free = asyncio.Event()
        """Not set: messages wait here, and get there later."""
        self.free.set()

    def cut(self, at: int, how: Cut) -> None:
        """Once, at the message that many from now on; 0 is the next."""
        self._at, self._how = self.messages + at, how

    def shut(self) -> None:
        """From now on every message is lost, and its connection with it."""
        self._shut = True

    def open(self) -> None:
        self._shut = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._shut:
            writer.close()
            return
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._to)
        back = asyncio.create_task(self._back(there_reader, writer))
        try:
            while data := await reader.read(1 << 20):
                hit = self._at is not None and self.messages == self._at
                self.messages += 1
                if self._shut:
                    break
                await self.free.wait()
                if hit:
                    self._at = None
                    self.cuts += 1
                    if self._how is Cut.AFTER:
                        back.cancel()
                        there_writer.write(data)
                        await there_reader.read(1)  # it has been carried out
                    break
                there_writer.write(data)
        except ConnectionError:
            pass
        finally:
            back.cancel()
            for end in (writer, there_writer):
                end.close()

    @staticmethod
    async def _back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 20):
                writer.write(data)
        writer.close()


@contextlib.asynccontextmanager
async def way_to(port: int) -> AsyncIterator[Way]:
    way = Way(port)
    server = await asyncio.start_server(way.carry, "127.0.0.1", 0)
    way.port = server.sockets[0].getsockname()[1]
    try:
        yield way
    finally:
        server.close()
