"""A gate says that it is alive, and which version of the policy it holds: what a connector waits for before it believes.

Decides when that is written. Apart from following, so that a slow write delays no change.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import structlog
from sqlalchemy import Delete, Insert, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col

from bot.gate.book import Book
from bot.gate.rules import AWAY
from bot.incident.policy import GateReplica
from bot.store import Store, Unit

log = structlog.get_logger()

BEAT = 4.0
"""Seconds between two signs of life: three fit into `LIVE`."""
AGAIN = 1.0
"""Seconds after one that the store did not take."""
PATIENCE = 2.0
"""Seconds that the store may take for one."""
FORGOTTEN = timedelta(hours=1)
"""A gate that was not seen for so long is gone: its row is removed by the next one that starts."""
EVERY_ADDRESS = ("0.0.0.0", "::", "[::]")  # noqa: S104 — compared, not bound


class Beat:
    def __init__(self, store: Store, book: Book, *, address: str) -> None:
        self.id = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:6]}"[-120:]
        self.news = asyncio.Event()
        """Set when another version is held: it is said at once."""
        self._store, self._book = store, book
        host, _, port = address.rpartition(":")
        self._address = f"{socket.gethostname()}:{port}" if host in EVERY_ADDRESS else address
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="gate.beat")

    async def stop(self) -> None:
        """Not cancelled: SQLite would keep the lock of a write that is cut short."""
        self._stopping = True
        self.news.set()
        if self._task is not None:
            await self._task
            self._task = None

    async def _run(self) -> None:
        await self._write(lambda unit: delete(GateReplica).where(col(GateReplica.seen_at) < unit.now - FORGOTTEN))
        while not self._stopping:
            self.news.clear()
            beaten = await self._write(self._alive)
            await within(self.news, BEAT if beaten else AGAIN)
        await self._write(lambda _: delete(GateReplica).where(col(GateReplica.id) == self.id))

    def _alive(self, unit: Unit) -> Insert:
        said = {"address": self._address, "version": self._book.version or 0, "seen_at": unit.now}
        insert = (sqlite if self._store.sqlite else postgresql).insert(GateReplica).values(id=self.id, **said)
        updated: Insert = insert.on_conflict_do_update(index_elements=["id"], set_=said)
        return updated

    async def _write(self, statement: Callable[[Unit], Delete | Insert]) -> bool:
        """False where the store did not take it. One of the edges: whatever it raises, the next beat is tried."""
        try:
            async with asyncio.timeout(PATIENCE), self._store.unit() as unit:
                await (await unit.session.connection()).execute(statement(unit))
        except AWAY:
            return False  # `bot.gate.feed` says that the store is away
        except Exception:
            log.exception("gate.beat.failed")
            return False
        return True


async def within(event: asyncio.Event, seconds: float) -> None:
    """Return when the event is set, or so many seconds are over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
