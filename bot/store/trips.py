"""SQLite in its thread: a statement goes there once, and brings its rows along.

Decides how often the loop and the thread wait for each other, and nothing else. aiosqlite's own cursor goes there four times:
to be made, for the statement, for the rows, to be closed. Beside a stream of events each of these waits for its turn, twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial
from typing import Any, Self

import aiosqlite

TOGETHER = 1000
"""Rows that come with the statement. Of a longer answer the rest is fetched when it is asked for: it may be a stream."""

Rows = list[Any]


class Connection(aiosqlite.Connection):
    """As aiosqlite's, but for its cursors."""

    def cursor(self) -> Cursor:  # type: ignore[override]  # both may be awaited or entered
        return Cursor(self)

    async def run(self, what: Callable[..., Any], *given: object) -> Any:
        """One trip."""
        return await self._execute(what, *given)  # type: ignore[no-untyped-call]

    async def answer(self, what: Callable[..., object], given: Sequence[object]) -> Any:
        return await self.run(_answer, self._conn, what, given)


class Cursor:
    """What SQLAlchemy uses of an asynchronous cursor; SQLite's own one lives and dies in the thread."""

    arraysize = 1
    description: Any = None
    rowcount = -1
    lastrowid: int | None = None

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: Rows = []
        self._open: sqlite3.Cursor | None = None
        """Has more rows than were fetched."""

    def __await__(self) -> Generator[Any, None, Self]:
        return self
        yield

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> Self:
        await self._run(sqlite3.Cursor.execute, sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> Self:
        await self._run(sqlite3.Cursor.executemany, sql, parameters)
        return self

    async def fetchone(self) -> Any:
        return next(iter(await self.fetchmany(1)), None)

    async def fetchmany(self, size: int | None = None) -> Rows:
        wanted = self.arraysize if size is None else size
        if len(self._rows) < wanted and self._open is not None:
            await self._fetch(self._open, max(wanted - len(self._rows), TOGETHER))
        some, self._rows = self._rows[:wanted], self._rows[wanted:]
        return some

    async def fetchall(self) -> Rows:
        if self._open is not None:
            await self._fetch(self._open, None)
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        if self._open is not None:
            await self._connection.run(self._open.close)
        self._open, self._rows = None, []

    async def _run(self, what: Callable[..., object], *given: object) -> None:
        await self.close()
        self.description, self.rowcount, self.lastrowid, self._rows, self._open = await self._connection.answer(
            what, given
        )

    async def _fetch(self, cursor: sqlite3.Cursor, most: int | None) -> None:
        rows, more = await self._connection.run(_rows, cursor, most)
        self._rows = [*self._rows, *rows]
        if not more:
            self._open = None
            await self._connection.run(cursor.close)


def connect(database: str, **how: Any) -> Connection:
    """For SQLAlchemy's `async_creator_fn`: a connection that is made once it is awaited. `how`: as for `sqlite3.connect`."""
    connection = Connection(partial(sqlite3.connect, database, **how), TOGETHER)
    thread: Any = getattr(connection, "_thread", connection)  # before aiosqlite 0.22 it is one itself
    thread.daemon = True
    return connection


def _answer(
    connection: sqlite3.Connection, what: Callable[..., object], given: Sequence[object]
) -> tuple[Any, int, int | None, Rows, sqlite3.Cursor | None]:
    """In the thread: one statement, and what there is to know of it.

    A cursor that fails is closed here, too. Were it left to whoever drops the error, the loop would wait at that point for the
    connection's mutex, which this thread holds while it waits for another process: until one of them gives up.
    """
    cursor, more = connection.cursor(), False
    try:
        what(cursor, *given)
        rows, more = _rows(cursor, TOGETHER)
        return cursor.description, cursor.rowcount, cursor.lastrowid, rows, cursor if more else None
    finally:
        if not more:
            cursor.close()


def _rows(cursor: sqlite3.Cursor, most: int | None) -> tuple[Rows, bool]:
    """In the thread: so many rows, and whether there may be more."""
    rows = cursor.fetchall() if most is None else cursor.fetchmany(most)
    return rows, most is not None and len(rows) == most
