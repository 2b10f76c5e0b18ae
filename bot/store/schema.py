"""The schema of the store: brings a database to the version of this program and back, and says where it stands.

Decides that one process migrates at a time. What the versions are is `migrations/`'s; when to migrate is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bot.incident.errors import Misconfigured
from bot.store.engine import Store

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
"""Beside `bot/` in the repository, and beside it where the wheel is installed."""
ADVISORY_LOCK = 0x46697273744872
"""PostgreSQL's lock of whoever migrates ("FirstHr"). On SQLite the write lock does."""
REMEDY = "Run `firsthour doctor --migrate`."


async def upgrade(store: Store, to: str = "head") -> None:
    """Bring the database to this program's version. Safe with several processes at once: the second finds it done."""
    await _locked(store, lambda config: command.upgrade(config, to))


async def downgrade(store: Store, to: str = "base") -> None:
    """Take the database back to an older version. Down to `base` removes every table and all that is in them."""
    await _locked(store, lambda config: command.downgrade(config, to))


async def empty(store: Store) -> bool:
    """True where no Firsthour has made this database ready yet."""
    async with store.engine.connect() as connection:
        return await connection.run_sync(_version) is None


async def check(store: Store) -> None:
    """Raises Misconfigured where the database is empty, behind or ahead of this program."""
    async with store.engine.connect() as connection:
        there = await connection.run_sync(_version)
    scripts = ScriptDirectory.from_config(_config())
    needed = scripts.get_current_head()
    if there == needed:
        return
    if there is None:
        raise Misconfigured(f"The database is empty; Firsthour needs version {needed}. {REMEDY}")
    if there in {script.revision for script in scripts.walk_revisions()}:
        raise Misconfigured(f"The database is at version {there}; Firsthour needs {needed}. {REMEDY}")
    raise Misconfigured(
        f"The database is at version {there}, which this Firsthour does not know; it needs {needed}. "
        "A newer Firsthour has migrated it: start that one."
    )


async def _locked(store: Store, run: Callable[[Config], None]) -> None:
    async with store.writing.begin() as connection:
        if not store.sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
        await connection.run_sync(lambda sync: run(_config(sync)))


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
