"""`firsthour verify`: the timeline's chain, and every piece of evidence in the vault against it."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest
from sqlmodel import select
from typer.testing import CliRunner

from bot.__main__ import app as command_line
from bot.cases import attach, keep
from bot.cases.attach import Given
from bot.cases.gave_up import gave_up
from bot.evidence.folder import FolderVault
from bot.incident.evidence import Evidence
from bot.incident.outward import IntentKind
from bot.incident.words import EvidenceKind
from bot.store import Store, intents
from bot.store.runner import Runner
from tests import opened as case


@pytest.fixture
def folder(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The vault of an incident with two pieces of evidence in it."""
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    monkeypatch.setenv("FIRSTHOUR_EVIDENCE", str(tmp_path / "vault"))
    asyncio.run(kept(sqlite_url, tmp_path / "vault"))
    return tmp_path / "vault"


async def kept(url: str, folder: Path) -> None:
    store, vault = Store(url), FolderVault(folder)
    vault.open()
    ctx = dataclasses.replace(case.context(store), vault=vault)
    number = await case.opened(ctx)
    for text in ("one", "two"):
        await attach.attach(ctx, case.ALICE, number, Given(EvidenceKind.LOGS, text), text=text)
    runner = Runner(store, {}, owner="w", gave_up=gave_up)
    for claim in await intents.claim(store, "w", limit=9, kinds=(IntentKind.KEEP,)):
        await runner.settle(claim, await keep.keep(ctx, claim))
    await store.close()


def verified() -> tuple[int, str]:
    result = CliRunner().invoke(command_line, ["verify", "INC-1"])
    return result.exit_code, result.output


def files(folder: Path) -> list[Path]:
    return sorted(one for one in folder.rglob("*") if one.is_file())


def test_evidence_that_is_as_it_was_is_proven(folder: Path) -> None:
    code, said = verified()
    assert code == 0 and "the chain is unbroken" in said and "2 pieces of evidence in the vault" in said


def test_what_is_missing_and_what_is_damaged_is_named(folder: Path) -> None:
    first, second = files(folder)
    first.unlink()
    second.write_bytes(b"three")
    code, said = verified()
    assert code == 2 and f"{first.name[:12]}…) is missing" in said
    assert f"{second.name[:12]}…) is damaged" in said and "pieces of evidence in the vault" not in said


def test_a_row_that_was_changed_by_hand_is_not_what_the_timeline_says(folder: Path, sqlite_url: str) -> None:
    async def swap() -> None:
        store = Store(sqlite_url)
        async with store.unit() as unit:
            one, two = (await unit.session.exec(select(Evidence))).all()
            one.sha256 = two.sha256
        await store.close()

    asyncio.run(swap())
    code, said = verified()
    assert code == 2 and "another digest than the timeline" in said and "not among the evidence" in said
