"""The schema: models and migrations agree, there is a way up and back, and one process migrates at a time."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import shutil
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlmodel import SQLModel

from bot.incident.errors import Misconfigured
from bot.store import Store, schema
from tests.conftest import postgres_database

MERGED: dict[str, str] = {
    "0001_every_table_of_the_first_version.py": "787ad60a113ebbe446a6c966ccc2ee34ccf2fe5d1b288d1c702b1163df2a8e7e",
    "0002_the_policy_of_the_gate.py": "a9cc7d8bafcc4e261f76a5332ef9e06012e000243e88704576fd235c7b1c7124",
    "0003_approvals_bound_to_an_edition.py": "a71316c50693e41f809a40a118c54535fa6f3054d50504d659367ecadcca022d",
    "0004_blast_radius_and_what_stays_in_force.py": "fe5e19819bff3b558794bdcc8593baf5d5be0693a611a42197abb9d262f53f5c",
    "0005_one_line_for_a_burst.py": "da3b65da45becb9923646c49e8a68441f1f47c1db0ceef5de0418c83e1be4304",
    "0006_what_is_registered.py": "dfcf55574219206a96301150df802e6a72ee3017e66a9b2ff312d45ff28f808a",
    "0007_evidence_proof_and_what_is_learned.py": "a2c67cead0948557c784abe8a4be72f703fa0a624d394bbeb952b6b647c12591",
    "0008_months_that_metrics_have_read.py": "9e2ad1e1400f29caec850a4349b0f9e843dcba50031f8bd55b53ae924f12fe6f",
    "0009_sessions_of_gathered_subjects_and_their_return.py": "177b213813021adc8db8cdccda125d430dfa5a915bd487058d49fdf6c177d540",
    "0010_anchors_of_prompts.py": "b5488c0152107f177fc6586f651fd9c6046f039c506b5f133a0601c3f4f12f76",
    "0011_what_is_open_is_found_beside_what_has_ended.py": "95efe35e3442414b3bb44e2164b9c02c077ed29caa53c2a46475a91c94786a05",
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


async def test_a_database_that_is_behind_or_ahead_is_refused_with_what_to_do(store: Store) -> None:
    async def at(version: str) -> None:
        async with store.writing.begin() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})

    await at("9999")
    with pytest.raises(Misconfigured, match=r"at version 9999, which this Firsthour does not know; .* start that one"):
        await schema.check(store)
    async with store.writing.begin() as connection:
        await connection.execute(text("DELETE FROM alembic_version"))
    with pytest.raises(Misconfigured, match=r"is empty; Firsthour needs version \d{4}"):
        await schema.check(store)


async def test_a_database_behind_names_both_versions(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a later version of this program sees it: one migration more than the database has."""
    later = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, later, ignore=shutil.ignore_patterns("__pycache__"))
    head = max(path.name[:4] for path in (later / "versions").glob("*.py"))
    (later / "versions" / "9999_more.py").write_text(
        f'revision = "9999"\ndown_revision = "{head}"\ndef upgrade(): pass\ndef downgrade(): pass\n'
    )
    monkeypatch.setattr(schema, "MIGRATIONS", later)
    with pytest.raises(
        Misconfigured, match=rf"at version {head}; Firsthour needs 9999\. Run `firsthour doctor --migrate`"
    ):
        await schema.check(store)
    await schema.upgrade(store)
    await schema.check(store)


MIGRATE = """
import asyncio, sys
from bot.store import Store, schema
async def main():
    store = Store(sys.argv[1])
    await schema.upgrade(store)
    await schema.check(store)
    await store.close()
asyncio.run(main())
"""


async def migrate_at_once(url: str, processes: int = 3) -> None:
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", MIGRATE, url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(processes)
    ]
    ended = await asyncio.gather(*(process.communicate() for process in started))
    assert [process.returncode for process in started] == [0] * processes, ended
    assert {said for said, _ in ended} == {b""}, "a migration printed to stdout"


async def test_several_processes_may_migrate_a_new_file_at_once(tmp_path: Path) -> None:
    await migrate_at_once(f"sqlite:///{tmp_path}/new.db")


async def test_several_processes_may_migrate_a_new_postgres_at_once(postgres_server: str) -> None:
    async with postgres_database(postgres_server, "template0") as url:
        await migrate_at_once(url)


async def test_a_new_migration_names_plain_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It must read the same when the nouns have moved on: no type of ours in it, only SQLAlchemy's."""
    empty = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, empty, ignore=shutil.ignore_patterns("__pycache__", "0*.py"))
    monkeypatch.setattr(schema, "MIGRATIONS", empty)
    store = Store(f"sqlite:///{tmp_path}/empty.db")
    async with store.writing.begin() as connection:
        await connection.run_sync(
            lambda sync: command.revision(schema._config(sync), message="more", rev_id="0001", autogenerate=True)
        )
    await store.close()
    written = (empty / "versions" / "0001_more.py").read_text()
    assert "sa.DateTime(timezone=True)" in written
    for ours in ("UtcDateTime", "Word(", "Number(", "AutoString", "sqlmodel"):
        assert ours not in written


def test_the_migrations_lie_beside_the_package() -> None:
    package = importlib.util.find_spec("bot")
    assert package is not None and package.origin is not None
    assert Path(package.origin).resolve().parents[1] / "migrations" == schema.MIGRATIONS
    assert (schema.MIGRATIONS / "env.py").is_file()
