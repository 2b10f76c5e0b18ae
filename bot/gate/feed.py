"""A gate follows the policy: its book is at most 200 ms behind the store, and says so by beating.

Decides when the store is asked. PostgreSQL announces each change; of an SQLite file the version is asked every 50 ms; both
are looked at once a second all the same. While the store is away the last copy stays, and its age is told.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import aiosqlite
import structlog

from bot.gate import rules
from bot.gate.beat import Beat, within
from bot.gate.book import Book, Held
from bot.incident.policy import VERSIONS
from bot.store import Store

log = structlog.get_logger()

LOOK = 1.0
"""Seconds between looks at the store where nothing is announced: what an announcement lost is found by them."""
WATCH = 0.05
"""Seconds between questions for the version in an SQLite file: 0.15 ms of work each."""
PATIENCE = 10.0
"""Seconds that the store may take for a look: the first may bring a hundred thousand rules."""
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before each further attempt while the store is away; the last one is repeated."""


class Feed:
    """Keeps one book. `start` returns once the first copy is there, or the store was found to be away."""

    def __init__(self, store: Store, book: Book, *, address: str) -> None:
        self.away = False
        """True while the store does not answer."""
        self.book = book
        self._store = store
        self._beat = Beat(store, book, address=address)
        self._told = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def id(self) -> str:
        return self._beat.id

    async def start(self) -> None:
        await self._look()
        self._beat.start()
        told = self._watch_file if self._store.sqlite else self._listen
        for work in (self._follow, told):
            self._tasks.append(asyncio.create_task(self._kept(work), name=f"gate.{work.__name__.strip('_')}"))

    async def stop(self) -> None:
        """Ends following, and takes this gate off the list of those that are asked to hold a version."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._beat.stop()

    async def _kept(self, work: Callable[[], Awaitable[None]]) -> None:
        """One of the edges: a worker that fails is begun again. The last copy stays meanwhile, and its age tells."""
        while True:
            try:
                await work()
            except Exception:
                log.exception("gate.feed.failed", worker=work.__name__)
                await asyncio.sleep(PAUSES[-1])
                self._told.set()

    async def _follow(self) -> None:
        failed = 0
        while True:
            await within(self._told, PAUSES[min(failed, len(PAUSES)) - 1] if failed else LOOK)
            failed = 0 if await self._look() else failed + 1

    async def _look(self) -> bool:
        """Take over what is new. False where the store is away; the book stays as it is."""
        self._told.clear()
        try:
            async with asyncio.timeout(PATIENCE), self._store.read() as session:
                found = await rules.changes(session, self.book.version)
        except rules.AWAY as error:
            self._is_away(error)
            return False
        if self.away:
            self.away = False
            log.info("gate.store.back", version=found.version if found else self.book.version)
        self._take(found)
        return True

    def _take(self, found: rules.Changes | None) -> None:
        """Between two awaits: a decision sees the whole change or nothing of it."""
        if found is None:
            assert self.book.version is not None
            self.book.confirm(self.book.version)
            return
        stand = [Held.of(rule) for rule in found.rules if rule.removed_at is None]
        if found.whole:
            self.book.replace(stand, found.version)
        else:
            gone = [rule.key for rule in found.rules if rule.removed_at is not None]
            self.book.change(put=stand, drop=gone, version=found.version)
        self._beat.news.set()
        log.info("gate.policy.taken", version=found.version, changed=len(found.rules), whole=found.whole)

    def _is_away(self, error: BaseException) -> None:
        if not self.away:
            self.away = True
            log.warning("gate.store.away", why=type(error).__name__, version=self.book.version)

    async def _listen(self) -> None:
        """PostgreSQL: each announcement wakes `_follow`. A connection that is lost is made anew, and then looked once."""
        failed = 0
        while True:
            try:
                async with self._store.engine.connect() as connection:
                    raw = (await connection.get_raw_connection()).driver_connection
                    assert raw is not None
                    lost = asyncio.Event()
                    try:
                        raw.add_termination_listener(lambda _, lost=lost: lost.set())
                        await raw.add_listener(rules.CHANNEL, lambda *_: self._told.set())
                        self._told.set()
                        failed = 0
                        await lost.wait()
                    finally:
                        await connection.invalidate()  # it listens: nobody else may get it from the pool
            except rules.AWAY as error:
                log.debug("gate.listen.lost", why=type(error).__name__)
            self._told.set()  # whether the store is away is found out now, not with the next slow look
            await asyncio.sleep(PAUSES[min(failed, len(PAUSES) - 1)])
            failed += 1

    async def _watch_file(self) -> None:
        """SQLite: nobody announces a change, so the version is asked for."""
        path = quote(self._store.url.database or "")
        while True:
            with contextlib.suppress(*rules.AWAY):
                async with aiosqlite.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None) as file:
                    while True:
                        async with file.execute("SELECT value FROM counter WHERE name = ?", (VERSIONS,)) as found:
                            row = await found.fetchone()
                        if row is None or row[0] != self.book.version:
                            self._told.set()
                        await asyncio.sleep(WATCH)
            await asyncio.sleep(LOOK)
