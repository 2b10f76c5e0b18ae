"""What counts as a store that is busy or out of reach, in words for the person who waits.

Decides which of the database's errors pass by themselves. Everything else is a fault of ours and stays what it is.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.incident.errors import Busy, Unwritable

SQLITE_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
POSTGRES_STATES = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "53300",  # too_many_connections
    "55P03",  # lock_not_available
    "57P01",  # admin_shutdown
    "57P02",  # crash_shutdown
    "57P03",  # cannot_connect_now
}
"""Beside class 08, connection exceptions. From PostgreSQL's appendix A, Error Codes."""
UNWRITABLE_SQLITE_CODES = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY}
UNWRITABLE_POSTGRES_STATES = {
    "25006",  # read_only_sql_transaction
    "53100",  # disk_full
}


def passes(error: DBAPIError) -> bool:
    """True where the same transaction may well succeed in a moment."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in SQLITE_CODES
    state = getattr(error.orig, "sqlstate", None) or ""
    return error.connection_invalidated or state.startswith("08") or state in POSTGRES_STATES


def unwritable(error: DBAPIError) -> bool:
    """True where the disk is full or the database is read-only."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in UNWRITABLE_SQLITE_CODES
    return (getattr(error.orig, "sqlstate", None) or "") in UNWRITABLE_POSTGRES_STATES


@contextlib.contextmanager
def connecting() -> Iterator[None]:
    """Here the database is reached for the first time: a refused or slow connection arrives as the system's own error."""
    try:
        yield
    except (OSError, TimeoutError) as error:
        raise Busy from error


@contextlib.contextmanager
def in_words(*, committing: bool = False) -> Iterator[None]:
    """Raises Busy instead of an error that passes by itself, Unwritable instead of one that passes once it is mended.

    A connection that is lost while `committing` leaves open whether it was saved; a refused commit was rolled back.
    """
    try:
        yield
    except PoolTimeout as error:
        raise Busy from error
    except DBAPIError as error:
        if unwritable(error):
            raise Unwritable from error
        if not passes(error):
            raise
        raise Busy(unknown=committing and error.connection_invalidated) from error
