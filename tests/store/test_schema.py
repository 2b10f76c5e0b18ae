"""The schema: models and migrations agree, there is a way up and back, and one process migrates at a time."""

from __future__ import annotations

import hashlib

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect
from sqlmodel import SQLModel

from bot.incident.errors import Misconfigured
from bot.store import Store, schema

MERGED: dict[str, str] = {
    "0001_every_table_of_the_first_version.py": "2332f91e8f1b07026e5823d96f80ca8a0b22c515cdc7949ccc311e6f01169b9c",
}
"""sha256 of every migration that users may have run. A new one is added here when it is merged; none is ever changed."""


def test_a_merged_migration_is_never_edited() -> None:
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (schema.MIGRATIONS / "versions").glob("*.py")
    }
    assert found == MERGED


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, SQLModel.metadata))


async def test_models_and_migrations_agree(store: Store) -> None:
    async with store.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def tables(store: Store) -> set[str]:
    async with store.engine.connect() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


async def test_the_schema_goes_down_to_nothing_and_up_again(store: Store) -> None:
    await schema.downgrade(store)
    assert await tables(store) == {"alembic_version"}
    with pytest.raises(Misconfigured, match=r"The database is empty; .* Run `firsthour doctor --migrate`"):
        await schema.check(store)
    await schema.upgrade(store)
    assert set(SQLModel.metadata.tables) < await tables(store)
    await schema.check(store)
    async with store.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_an_upgrade_of_what_is_up_to_date_changes_nothing_and_prints_nothing(
    store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    await schema.upgrade(store)
    await schema.check(store)
    assert capfd.readouterr() == ("", "")
