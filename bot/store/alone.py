"""One process a SQLite file: an advisory lock beside it, held as long as its holder lives.

Decides only that. With PostgreSQL any number of processes run side by side (design law 14).
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from bot.incident.errors import Misconfigured


def take(database: Path) -> int:
    """Lock `<database>.lock` and return its descriptor; closing it, or the process's end, gives the lock back.

    The file stays: removing it could take it from under another process that has just opened it.
    Raises Misconfigured where another process holds it.
    """
    path = database.with_name(f"{database.name}.lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be opened: {error.strerror}. Check DATABASE_URL.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise Misconfigured(
            f"Another Firsthour process uses {database}; with SQLite only one may run. "
            "Stop it or move to PostgreSQL (DATABASE_URL=postgresql://…)."
        ) from error
    return descriptor
