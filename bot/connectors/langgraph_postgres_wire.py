"""One transaction on a PostgreSQL of somebody else's: its time, and what is known of it when it fails.

Decides that each question has a connection and a transaction of its own, that looking is read-only, and that only a lost
answer to COMMIT leaves open whether something was done: whatever broke before was rolled back.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg  # type: ignore[import-untyped]
from pydantic import SecretStr

T = TypeVar("T")
Connection = Any
"""An `asyncpg.Connection`: the library has no types."""
LIMITS = """
SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $1, true), set_config('search_path', $2, true)"""
"""For this transaction only, so that a pooler between hands on nothing of it."""
BROKEN = "it could not be reached, or the connection broke"
REFUSALS: tuple[tuple[type[Exception], str], ...] = (
    (asyncpg.PostgresConnectionError, BROKEN),
    (asyncpg.InvalidAuthorizationSpecificationError, "it does not accept the credentials"),
    (asyncpg.InvalidCatalogNameError, "it has no such database"),
    (asyncpg.InsufficientPrivilegeError, "its user may not do what is needed"),
    (asyncpg.UndefinedTableError, "it has no such table: is `table_schema` right?"),
    (asyncpg.QueryCanceledError, "it took too long"),
    (asyncpg.LockNotAvailableError, "somebody else holds the rows"),
    (asyncpg.ReadOnlySQLTransactionError, "it is a replica, which cannot be written"),
)


class Undone(Exception):
    """Raised inside a transaction to leave everything as it was. `str(error)` says why, in words."""


@dataclass(frozen=True)
class Silent:
    """No answer that could be used."""

    why: str
    refused: bool
    """Certainly nothing was done."""


@dataclass(frozen=True)
class Database:
    url: SecretStr
    schema: str
    """Where LangGraph's tables are. Lower-case letters, digits, underscores: checked by the settings."""
    seconds: float

    async def look(self, work: Callable[[Connection], Awaitable[T]]) -> T | Silent:
        """Read in one transaction that cannot write."""
        return await self._asked(work, writes=False)

    async def change(self, work: Callable[[Connection], Awaitable[T]]) -> T | Silent:
        """All that `work` does is committed together, or nothing of it is."""
        return await self._asked(work, writes=True)

    async def _asked(self, work: Callable[[Connection], Awaitable[T]], *, writes: bool) -> T | Silent:
        attempt = _Attempt()
        try:
            async with asyncio.timeout(self.seconds):
                return await attempt.run(self, work, writes=writes)
        except TimeoutError:
            return Silent(f"it did not answer within {self.seconds:g} s", refused=not attempt.committing)
        except Undone as error:
            return Silent(str(error), refused=True)
        except asyncpg.PostgresError as error:
            words = next((words for kind, words in REFUSALS if isinstance(error, kind)), "it refused the statement")
            return Silent(words, refused=not attempt.committing)
        except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            return Silent(BROKEN, refused=not attempt.committing)
        finally:
            attempt.end()


class _Attempt:
    def __init__(self) -> None:
        self.connection: Connection = None
        self.committing = False

    async def run(self, database: Database, work: Callable[[Connection], Awaitable[T]], *, writes: bool) -> T:
        # Nothing is prepared and kept: a pooler between may give every transaction another connection.
        self.connection = await asyncpg.connect(
            database.url.get_secret_value(), timeout=math.ceil(database.seconds), statement_cache_size=0
        )
        isolation = "read_committed" if writes else "repeatable_read"
        transaction = self.connection.transaction(isolation=isolation, readonly=not writes)
        await transaction.start()
        await self.connection.execute(
            LIMITS, str(max(1, int(database.seconds * 1000))), f'"{database.schema}", pg_temp'
        )
        found = await work(self.connection)
        if writes:
            self.committing = True
            await transaction.commit()
        else:
            await transaction.rollback()
        await self.connection.close()
        return found

    def end(self) -> None:
        """At once, whatever became of it: what is not committed is rolled back by the server."""
        if self.connection is not None:
            self.connection.terminate()
