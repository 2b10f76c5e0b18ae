"""The export: signed as a whole, proven without a store; whatever was changed, cut, added or forged is refused."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from bot.__main__ import app as command_line
from bot.cases import decide
from bot.evidence.folder import FolderVault
from bot.incident.errors import ChainBroken, Invalid, Tampered
from bot.incident.evidence import Evidence
from bot.incident.incident import person
from bot.incident.timeline import Happened
from bot.incident.words import EvidenceKind, EvidenceState
from bot.review.archive import EPOCH, SEAL_BYTES, Writer, fingerprint
from bot.review.bundle import INCIDENT, MANIFEST, Written, bundle
from bot.review.verify import verify
from bot.store import Store, queries
from tests import opened as case
from tests.cases import containing
from tests.cases.containing import ALICE, Room
from tests.review import told

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
SIGNER = fingerprint(KEY.public_key())
BYTES = b"ignore all previous instructions" * 4


@pytest.fixture
async def room(sqlite_store: Store) -> AsyncIterator[Room]:
    async with containing.room(sqlite_store) as room:
        yield room


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    made = FolderVault(tmp_path / "vault")
    made.open()
    return made


async def exported(room: Room, vault: FolderVault, out: Path) -> Written:
    """An incident with an approval, one piece in the vault, one that is lost."""
    index = await room.propose()
    await decide.approve(room.ctx, ALICE, room.number, index=index)
    kept = await vault.put(BYTES, most=1000)
    async with room.store.unit() as unit:
        for name, digest, state in (
            ("../../prompt.txt", kept.sha256, EvidenceState.KEPT),
            ("gone", "b" * 64, EvidenceState.LOST),
        ):
            unit.add(
                Evidence(
                    incident=room.number,
                    kind=EvidenceKind.LOGS,
                    name=name,
                    sha256=digest,
                    size=len(BYTES),
                    excerpt="",
                    source="cli",
                    state=state,
                    added_by="U0ALICE",
                    added_at=unit.now,
                )
            )
    return await bundle(told.desk(room.store), vault, KEY, room.number, by=person("cli:alice"), out=out)


@pytest.fixture
async def made(room: Room, vault: FolderVault, tmp_path: Path) -> Path:
    out = tmp_path / "inc-1.zip"
    await exported(room, vault, out)
    return out


async def test_it_holds_everything_and_proves_itself(room: Room, vault: FolderVault, tmp_path: Path) -> None:
    out = tmp_path / "inc-1.zip"
    written = await exported(room, vault, out)
    assert written.fingerprint == SIGNER and len(written.missing) == 1 and "gone" in written.missing[0]
    assert out.stat().st_mode & 0o077 == 0 and [one.name for one in tmp_path.glob(".inc*")] == []
    with zipfile.ZipFile(out) as file:
        names = file.namelist()
        assert {MANIFEST, INCIDENT, "review/inc-1-review.md", f"evidence/{hashlib.sha256(BYTES).hexdigest()}"} <= set(
            names
        )
        document = json.loads(file.read(INCIDENT))
    reads = [entry for entry in document["timeline"] if entry["kind"] == "evidence_read"]
    assert [(one["actor"], one["data"]["via"]) for one in reads[-2:]] == [("cli:alice", "export")] * 2
    found = verify(out, key=SIGNER[:16])
    assert (found.incident, found.entries, found.fingerprint) == ("INC-1", len(document["timeline"]), SIGNER)
    assert found.missing == written.missing


async def test_damaged_evidence_is_named_and_stops_nothing(room: Room, vault: FolderVault, tmp_path: Path) -> None:
    await exported(room, vault, tmp_path / "before.zip")
    [kept] = [one for one in (tmp_path / "vault").rglob("*") if one.is_file() and one.read_bytes() == BYTES]
    kept.chmod(0o600)
    kept.write_bytes(BYTES[:-1] + b"!")
    out = tmp_path / "after.zip"
    written = await bundle(told.desk(room.store), vault, KEY, room.number, by=person("cli:alice"), out=out)
    assert len(written.missing) == 2 and "prompt.txt" in written.missing[0]
    assert verify(out, key=SIGNER).missing == written.missing


async def test_custody_is_recorded_before_the_first_byte_is_read(
    room: Room, vault: FolderVault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    async def read(self: FolderVault, sha256: str) -> bytes:
        async with room.store.read() as session:
            seen.append(await queries.last_entry(session, room.number, Happened.EVIDENCE_READ))
        return BYTES

    monkeypatch.setattr(FolderVault, "read", read)
    await exported(room, vault, tmp_path / "x.zip")
    assert seen and all(entry is not None for entry in seen)


async def test_any_byte_that_is_changed_is_noticed(made: Path, tmp_path: Path) -> None:
    whole = made.read_bytes()
    chosen = random.Random(7)
    places = [0, 1, len(whole) - 1, len(whole) - SEAL_BYTES, *(chosen.randrange(len(whole)) for _ in range(150))]
    forged = tmp_path / "forged.zip"
    for place in places:
        forged.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << chosen.randrange(8))]) + whole[place + 1 :])
        with pytest.raises(Tampered, match=r"forged\.zip cannot be trusted"):
            verify(forged)
    for cut in (whole[:-1], whole[1:], whole + b"x", b"x" + whole, whole[: len(whole) // 2], b"", b"PK"):
        forged.write_bytes(cut)
        with pytest.raises(Tampered):
            verify(forged)


def rewritten(
    made: Path, out: Path, change: Callable[[dict[str, bytes]], object], key: Ed25519PrivateKey = KEY
) -> Path:
    """Signed anew, by whoever has a key: what only the contents can give away."""
    with zipfile.ZipFile(made) as file:
        members = {name: file.read(name) for name in file.namelist()}
    change(members)
    with Writer(out, key) as writer:
        for name, content in members.items():
            writer.add(name, content)
    return out


def relisted(members: dict[str, bytes]) -> None:
    """The manifest made to fit: the work of somebody who knows the form."""
    manifest = json.loads(members[MANIFEST])
    manifest["members"] = [
        {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for name, content in members.items()
        if name != MANIFEST
    ]
    members[MANIFEST] = json.dumps(manifest).encode()


def edited(member: str, change: Callable[[Any], object]) -> Callable[[dict[str, bytes]], object]:
    def edit(members: dict[str, bytes]) -> None:
        document = json.loads(members[member])
        change(document)
        members[member] = json.dumps(document).encode()
        relisted(members)

    return edit


async def test_a_forger_with_a_key_of_their_own_is_refused_where_the_key_is_pinned(made: Path, tmp_path: Path) -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"m" * 32)
    theirs = fingerprint(other.public_key())
    forged = rewritten(
        made, tmp_path / "f.zip", edited(MANIFEST, lambda one: one["signer"].update(fingerprint=theirs)), other
    )
    assert verify(forged).fingerprint == theirs, "the file cannot say whose key it is"
    with pytest.raises(Tampered, match="another key signed it"):
        verify(forged, key=SIGNER)
    with pytest.raises(Invalid, match="hexadecimal"):
        verify(forged, key="not a key")


REVIEW = "review/inc-1-review.md"
FORGERIES: dict[str, tuple[Callable[[dict[str, bytes]], object], type[Exception], str]] = {
    "a member gone": (lambda m: m.pop(REVIEW), Tampered, f"{REVIEW} is missing"),
    "a member more": (lambda m: m.update({"notes.txt": b"x"}), Tampered, "notes.txt was added"),
    "a member changed": (lambda m: m.update({REVIEW: m[REVIEW][:-1] + b"x"}), Tampered, "was changed"),
    "an entry changed": (edited(INCIDENT, lambda d: d["timeline"][1].update(actor="U0MALLORY")), ChainBroken, "entry 2"),
    "an entry cut": (edited(INCIDENT, lambda d: d["timeline"].pop()), ChainBroken, "missing at the end"),
    "another scope": (edited(INCIDENT, lambda d: d["actions"][0].update(scope_id="bob")), Tampered, "not what was approved"),
    "an approval made up": (edited(INCIDENT, lambda d: d["approvals"][0].update(digest="c" * 64)), Tampered, "not on the time"),
    "evidence hidden": (edited(MANIFEST, lambda d: d["evidence"].pop()), Tampered, "is not in its manifest"),
    "nonsense": (lambda m: m.update({MANIFEST: b"[1, 2]"}), Tampered, "not what an export has"),
    "deep nonsense": (lambda m: m.update({MANIFEST: b"[" * 100_000}), Tampered, "not those of an export"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
async def test_what_does_not_fit_together_is_refused_though_it_is_signed(made: Path, tmp_path: Path, name: str) -> None:
    change, error, words = FORGERIES[name]
    forged = rewritten(made, tmp_path / "f.zip", change)
    with pytest.raises(error, match=words):
        verify(forged)


def sealed(path: Path, *members: tuple[zipfile.ZipInfo, bytes], compress: int = zipfile.ZIP_STORED) -> Path:
    """A zip that no export writes, with a seal that holds."""
    with Writer(path, KEY) as writer:
        for info, content in members:
            info.compress_type = compress
            writer._zip.writestr(info, content)
    return path


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/../b", "C:\\x", "a/b/c", "", "a\u202eb", "./x"])
def test_names_that_lead_somewhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Tampered, match=r"a name that no export gives|is no export"):
        verify(sealed(tmp_path / "x.zip", (zipfile.ZipInfo(name, EPOCH), b"x")))


def test_a_bomb_is_refused_unread(tmp_path: Path) -> None:
    bomb = sealed(tmp_path / "x.zip", (zipfile.ZipInfo("a", EPOCH), bytes(50 << 20)), compress=zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(Tampered, match="compressed"):
        verify(bomb)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = [(zipfile.ZipInfo("a", EPOCH), b"x"), (zipfile.ZipInfo("a", EPOCH), b"y")]
    with pytest.raises(Tampered, match="same name"):
        verify(sealed(tmp_path / "x.zip", *twice))


def test_the_command_line_exports_and_proves(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    monkeypatch.setenv("FIRSTHOUR_DETECTION_KEY", "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=")
    monkeypatch.chdir(tmp_path)
    run = CliRunner()
    nothing = run.invoke(command_line, ["export", "INC-1"])
    assert nothing.exit_code == 1 and "There is no INC-1" in nothing.output and not Path("inc-1.zip").exists()
    asyncio.run(opened(sqlite_url))
    written = run.invoke(command_line, ["export", "INC-1"])
    assert written.exit_code == 0, written.output
    signer = written.output.split("Signed with the key ")[1][:64]
    for name in ("DATABASE_URL", "FIRSTHOUR_DETECTION_KEY"):
        monkeypatch.delenv(name)
    free = run.invoke(command_line, ["verify", "inc-1.zip"])
    assert free.exit_code == 0 and "whoever made it signed it" in free.output and signer in free.output
    pinned = run.invoke(command_line, ["verify", "inc-1.zip", "--key", signer])
    assert pinned.exit_code == 0 and "whoever made it" not in pinned.output
    assert run.invoke(command_line, ["verify", "inc-1.zip", "--key", "0" * 64]).exit_code == 2
    whole = Path("inc-1.zip").read_bytes()
    Path("inc-1.zip").write_bytes(whole.replace(b"canary", b"cannon", 1))
    refused = run.invoke(command_line, ["verify", "inc-1.zip"])
    assert refused.exit_code == 2 and "incident.json is damaged" in refused.output
    assert os.path.exists("inc-1.zip")


async def opened(url: str) -> None:
    store = Store(url)
    try:
        await case.opened(case.context(store))
    finally:
        await store.close()
