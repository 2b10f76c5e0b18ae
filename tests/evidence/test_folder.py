"""The vault as a folder: whole or not at all, whatever ends a write."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.doctor import _vault as examine_vault
from bot.evidence import Checked
from bot.evidence.build import build, default_folder
from bot.evidence.folder import ABANDONED, INCOMING, FolderVault
from bot.incident.errors import Misconfigured, Missing, TooLarge, VaultFailed, VaultFull
from bot.settings import Organisation, Settings
from bot.settings_evidence import Bucket, EvidenceSettings

MOST = 60_000_000
SHA = hashlib.sha256(b"evidence").hexdigest()


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    built = FolderVault(tmp_path / "vault")
    built.open()
    return built


def files(vault: FolderVault) -> list[Path]:
    return [one for one in vault._folder.rglob("*") if one.is_file()]


async def streamed(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_what_is_put_is_read_again_and_readable_by_its_owner_alone(vault: FolderVault) -> None:
    stored = await vault.put(b"evidence", most=MOST)
    assert (stored.sha256, stored.size) == (SHA, 8)
    assert await vault.read(SHA) == b"evidence" and await vault.check(SHA) == Checked(True)
    (file,) = files(vault)
    assert file.name == SHA and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(vault._folder.stat().st_mode) == 0o700


async def test_the_same_bytes_twice_are_one_file_however_they_come(vault: FolderVault) -> None:
    both = await asyncio.gather(vault.put(b"evidence", most=MOST), vault.put(streamed(b"evi", b"dence"), most=MOST))
    assert both[0] == both[1] and len(files(vault)) == 1


async def test_a_piece_without_bytes_is_a_piece(vault: FolderVault) -> None:
    stored = await vault.put(b"", most=MOST)
    assert stored.size == 0 and await vault.read(stored.sha256) == b""


async def test_fifty_megabytes_pass_in_parts_and_hash_to_what_they_are(vault: FolderVault) -> None:
    part = os.urandom(1_000_000)
    stored = await vault.put(streamed(*[part] * 50), most=MOST)
    assert stored.size == 50_000_000 and stored.sha256 == hashlib.sha256(part * 50).hexdigest()
    assert (await vault.check(stored.sha256)).kept


async def test_a_stream_that_is_too_long_stops_there_and_leaves_nothing(vault: FolderVault) -> None:
    read: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            read.append(1)
            yield bytes(400_000)

    with pytest.raises(TooLarge, match="1 MB"):
        await vault.put(endless(), most=1_000_000)
    assert len(read) == 3 and files(vault) == []


async def test_a_broken_stream_leaves_nothing(vault: FolderVault) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half of it"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await vault.put(broken(), most=MOST)
    assert files(vault) == []


async def test_a_full_disk_is_said_and_loses_nothing(vault: FolderVault, monkeypatch: pytest.MonkeyPatch) -> None:
    await vault.put(b"evidence", most=MOST)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(VaultFull, match="full"):
            await vault.put(b"more", most=MOST)
    assert [file.name for file in files(vault)] == [SHA]
    assert (await vault.put(b"more", most=MOST)).size == 4


async def test_a_disk_that_does_not_answer_is_tried_again(vault: FolderVault) -> None:
    (vault._folder / INCOMING).rmdir()
    with pytest.raises(VaultFailed) as failed:
        await vault.put(b"evidence", most=MOST)
    assert not isinstance(failed.value, VaultFull | TooLarge | Missing)


async def test_what_is_damaged_is_named_and_mended_by_the_same_bytes(vault: FolderVault) -> None:
    await vault.put(b"evidence", most=MOST)
    (file,) = files(vault)
    file.write_bytes(b"evidenca")
    assert not (found := await vault.check(SHA)).kept and "damaged" in found.detail
    with pytest.raises(Missing, match="damaged"):
        await vault.read(SHA)
    await vault.put(b"evidence", most=MOST)
    assert await vault.read(SHA) == b"evidence"


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "ab" * 31 + "..", SHA.upper(), f"{SHA}/x", "\x00" * 64])
async def test_nothing_but_a_digest_is_ever_a_path(vault: FolderVault, name: str) -> None:
    with pytest.raises(Missing):
        await vault.read(name)
    with pytest.raises(Missing):
        await vault.check(name)


async def test_what_was_never_kept_is_missing(vault: FolderVault) -> None:
    assert await vault.check(SHA) == Checked(False, "missing")
    with pytest.raises(Missing, match="missing"):
        await vault.read(SHA)


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from bot.evidence.folder import FolderVault

async def parts():
    yield b"x" * 2_000_000
    os.kill(os.getpid(), signal.SIGKILL)
    yield b""

vault = FolderVault(Path(sys.argv[1]))
vault.open()
asyncio.run(vault.put(parts(), most=10**8))
"""


async def test_a_write_that_is_killed_never_counts_and_is_cleared_away_later(vault: FolderVault) -> None:
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", KILLED, str(vault._folder)], check=False, capture_output=True
    )
    assert done.returncode == -9
    (left,) = files(vault)
    assert left.parent.name == INCOMING
    vault.open()
    assert left.exists(), "another process may be writing it"
    os.utime(left, (time.time() - ABANDONED - 60,) * 2)
    vault.open()
    assert not left.exists()


def test_a_folder_that_cannot_be_used_keeps_the_process_from_starting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(Misconfigured, match=r"FIRSTHOUR_EVIDENCE"):
        build(EvidenceSettings(folder=tmp_path / "file" / "vault"), "sqlite:///x.db")


def test_the_vault_lies_beside_the_database_where_nothing_else_is_said(tmp_path: Path) -> None:
    assert default_folder(f"sqlite:///{tmp_path}/a.db") == Path(f"{tmp_path}/a.db.evidence")
    assert default_folder("sqlite://") == Path("firsthour-evidence")
    assert default_folder("postgresql://db/firsthour") == Path("firsthour-evidence")
    built = build(EvidenceSettings(folder=tmp_path / "file"), "sqlite://", tmp_path / "environment")
    assert isinstance(built, FolderVault) and (tmp_path / "environment" / INCOMING).is_dir()


def test_evidence_lies_in_one_place() -> None:
    with pytest.raises(ValueError, match="not both"):
        EvidenceSettings(folder=Path("x"), s3=Bucket(bucket="evidence"))


async def test_the_doctor_looks_at_the_vault_and_makes_none(tmp_path: Path) -> None:
    well = await examine_vault(Settings(FIRSTHOUR_EVIDENCE=tmp_path / "new" / "vault"), Organisation())
    assert well.well and not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("no folder")
    ill = await examine_vault(Settings(), Organisation(evidence=EvidenceSettings(folder=tmp_path / "file" / "vault")))
    assert not ill.well and "FIRSTHOUR_EVIDENCE" in ill.mend
