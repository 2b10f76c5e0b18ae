"""Alembic's environment: runs the migrations on SQLite and PostgreSQL.

Decides how a migration is run and how columns are rendered in a new one. Who runs them, and under which lock, is
`bot.store.schema`'s, which hands its connection in; without one (the `alembic` command) `DATABASE_URL` is opened here.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from bot.incident import (  # noqa: F401 — importing the nouns fills the metadata
    evidence,
    incident,
    learning,
    outward,
    policy,
    registered,
    timeline,
    validation,
    work,
)
from bot.incident.columns import Number, UtcDateTime, Word
from bot.store import Store


def render_plainly(kind: str, column_type: Any, _: AutogenContext) -> str | Literal[False]:
    """Migrations name plain types: they must read the same when the nouns have moved on."""
    if kind != "type":
        return False
    match column_type:
        case UtcDateTime():
            return "sa.DateTime(timezone=True)"
        case Word():
            return "sa.String(length=40)"
        case Number():
            return "sa.Integer()"
        case AutoString():
            return f"sa.String(length={column_type.length})" if column_type.length else "sa.String()"
        case _:
            return False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_item=render_plainly,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def migrate_database_url() -> None:
    store = Store(os.environ.get("DATABASE_URL", "sqlite:///firsthour.db"))
    try:
        async with store.writing.begin() as connection:
            await connection.run_sync(migrate)
    finally:
        await store.close()


handed_in = context.config.attributes.get("connection")
if handed_in is not None:
    migrate(handed_in)
else:
    asyncio.run(migrate_database_url())
