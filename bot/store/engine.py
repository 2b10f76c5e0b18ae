"""One database: SQLite in WAL by default, PostgreSQL when outgrown (design law 14). Opens, hands out units, closes.

Decides how transactions begin and end. What is written in one is the use case's; the schema is `migrations/`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.sql.compiler import InsertmanyvaluesSentinelOpts
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.errors import Busy, Misconfigured, Repeated
from bot.incident.outward import InboundKey
from bot.store import alone, trips
from bot.store.busy import connecting, in_words
from bot.store.unit import Unit

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
BUSY_SECONDS = 5.0
"""How long a transaction waits for another process that holds the database."""
QUEUE_SECONDS = 10.0
"""How long it waits for its turn among this process's own, each of which may wait for that other process."""
SNAPSHOT: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""How PostgreSQL reads: several questions in one `read` see one moment, as SQLite's WAL gives by itself."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def async_url(database_url: str) -> URL:
    """`sqlite:///x.db` and `postgresql://…` with the asynchronous driver. Raises Misconfigured on anything else."""
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise Misconfigured(
            "DATABASE_URL is not a database URL. Use sqlite:///firsthour.db or postgresql://…"
        ) from error
    driver = DRIVERS.get(url.get_backend_name())
    if driver is None:
        raise Misconfigured(
            f"DATABASE_URL names “{url.get_backend_name()}”. Firsthour keeps its store in SQLite or PostgreSQL."
        )
    return url.set(drivername=driver)


class Store:
    """The open database. `async with store.unit() as unit` is one use case; `store.read()` sees, and writes nothing."""

    def __init__(
        self,
        database_url: str,
        *,
        now: Callable[[], datetime] = utc_now,
        exclusive: bool = False,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        """`exclusive`: the only process on this SQLite file until `close`; raises Misconfigured where another one is."""
        self.url = async_url(database_url)
        self.now = now
        self.sqlite = self.url.get_backend_name() == "sqlite"
        file = self.url.database if self.sqlite and self.url.database != ":memory:" else None
        self._alone = alone.take(Path(file)) if exclusive and file else None
        self.engine = _engine(self.url, sqlite=self.sqlite, busy_seconds=busy_seconds)
        self.writing = self.engine.execution_options(writes=True)
        self._reading = self.engine if self.sqlite else self.engine.execution_options(**SNAPSHOT)
        self._writer = asyncio.Lock() if self.sqlite else None
        self._listeners: list[Callable[[], None]] = []

    @property
    def alone(self) -> bool:
        """True where no other process can use this store."""
        return self._alone is not None

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call back after every commit that left something to do outside: the runner wakes without polling."""
        self._listeners.append(listener)

    @contextlib.asynccontextmanager
    async def unit(self, *, inbound: str | None = None) -> AsyncIterator[Unit]:
        """One transaction: state, timeline and intents commit together or not at all (design law 2).

        `inbound` names the inbound act; a second one with the same name raises Repeated with the first one's answer.
        Raises Busy where the database is held by another process for too long, or out of reach.
        """
        async with self._turn(), AsyncSession(self.writing, expire_on_commit=False) as session:
            unit = Unit(session, self.now(), postgres=not self.sqlite)
            try:
                with in_words():
                    with connecting():
                        await session.connection()
                    if inbound is not None:
                        await self._count(session, inbound, unit.now)
                    yield unit
                    await unit.finish(inbound)
                with in_words(committing=True):
                    await session.commit()
            except BaseException:
                await session.rollback()
                raise
        if unit.wakes:
            for listener in self._listeners:
                listener()

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """SQLite takes one writer at a time: the others wait here, in order, and not for ever."""
        if self._writer is None:
            yield
            return
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await self._writer.acquire()
        except TimeoutError as error:
            raise Busy from error
        try:
            yield
        finally:
            self._writer.release()

    async def _count(self, session: AsyncSession, key: str, now: datetime) -> None:
        try:
            session.add(InboundKey(key=key, at=now))
            await session.flush()
        except IntegrityError:
            await session.rollback()
            first = await session.get(InboundKey, key)
            raise Repeated(first.answer if first else "") from None

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """One consistent look at the store: whatever is committed meanwhile is not seen. Raises Busy as `unit` does."""
        with in_words():
            async with AsyncSession(self._reading, expire_on_commit=False) as session:
                with connecting():
                    await session.connection()
                yield session

    def exists(self) -> bool:
        """False for an SQLite file that nothing has made yet: connecting would make it."""
        return not self.sqlite or Path(self.url.database or "").exists()

    async def ready(self) -> bool:
        """True where the database answers within a second."""
        try:
            async with asyncio.timeout(1), self.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except (TimeoutError, DBAPIError, OSError):
            return False
        return True

    async def close(self) -> None:
        await self.engine.dispose()
        if self._alone is not None:
            os.close(self._alone)
            self._alone = None


def _engine(url: URL, *, sqlite: bool, busy_seconds: float) -> AsyncEngine:
    if not sqlite:
        return create_async_engine(
            url, pool_size=10, max_overflow=10, pool_pre_ping=True, hide_parameters=True, connect_args={"timeout": 10}
        )
    how = {"timeout": busy_seconds, "isolation_level": None, "async_creator_fn": trips.connect}
    engine = create_async_engine(url, hide_parameters=True, connect_args=how)  # an error's text reaches the log

    # SQLite numbers the rows of one INSERT in their order: many are written in one statement and still told apart.
    engine.dialect.insertmanyvalues_implicit_sentinel = InsertmanyvaluesSentinelOpts.ANY_AUTOINCREMENT

    @event.listens_for(engine.sync_engine, "connect")
    def _pragmas(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes the lock at once: a transaction that upgrades in its middle can fail with "database is locked".
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
