"""An incident as one signed file: the export, the evidence's bytes, the review, every replay with its trials.

Decides what is in it and in which order: custody is recorded before a byte is read for it, and the export that is in the file
tells of it. A piece that is lost or damaged is named, and stops nothing. Proving it is `verify`'s.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import col, select

from bot.evidence import Vault
from bot.incident.columns import Json
from bot.incident.errors import VaultFailed
from bot.incident.evidence import Evidence
from bot.incident.incident import Actor
from bot.incident.timeline import Happened
from bot.incident.validation import Trial, ValidationRun
from bot.review.archive import FORMAT, Writer, fingerprint
from bot.review.documents import Desk, review_files
from bot.store.export import export
from bot.store.waiting import waiting

MANIFEST = "manifest.json"
INCIDENT = "incident.json"


@dataclass(frozen=True)
class Written:
    """What was exported."""

    path: Path
    entries: int
    members: int
    fingerprint: str
    """Of the key that signed it."""
    missing: Sequence[str]
    """Pieces of evidence whose bytes are not in it, each with why."""


@dataclass
class _Members:
    """What was written so far."""

    writer: Writer
    listed: list[Json] = field(default_factory=list)
    evidence: list[Json] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def add(self, name: str, content: bytes) -> None:
        if name not in self.names:  # the same bytes under two names are one member
            self.names.add(name)
            self.listed.append({"name": name, "sha256": self.writer.add(name, content), "size": len(content)})

    def add_json(self, name: str, value: Any) -> None:
        self.add(name, _json(value))


async def bundle(desk: Desk, vault: Vault, key: Ed25519PrivateKey, number: int, *, by: Actor, out: Path) -> Written:
    """Raises NotFound, ChainBroken, and what the store raises. `out` is there once it is whole."""
    async with desk.store.read() as session:  # nothing of a broken chain is exported
        await export(session, number, desk.store.now())
    pieces = await _custody(desk, number, by)
    with Writer(out, key) as writer:
        members = _Members(writer)
        async with desk.store.read() as session:
            document = await export(session, number, desk.store.now())
        members.add_json(INCIDENT, document)
        for piece in pieces:
            await _piece(desk, vault, members, piece)
        await _runs(desk, members, number)
        about = await desk.about({"incident": number, "upto": len(document["timeline"])})
        for file in review_files(about, desk.org.review.tlp):
            members.add(f"review/{file.name}", file.content)
        signer = fingerprint(key.public_key())
        writer.add(MANIFEST, _json(_manifest(document, members, signer)))
    return Written(out, len(document["timeline"]), len(members.listed) + 1, signer, members.missing)


def _manifest(document: Json, members: _Members, signer: str) -> Json:
    return {
        "format": FORMAT,
        "incident": f"INC-{document['incident']['number']}",
        "exported_at": document["exported_at"],
        "signer": {"algorithm": "Ed25519", "fingerprint": signer},
        "members": members.listed,
        "evidence": members.evidence,
    }


async def _custody(desk: Desk, number: int, by: Actor) -> Sequence[Evidence]:
    """Every read is on the timeline before the first byte is read."""
    async with desk.store.unit() as unit:
        incident = await unit.incident(number)
        wanted = select(Evidence).where(Evidence.incident == number).order_by(col(Evidence.id))
        pieces = (await unit.session.exec(wanted)).all()
        for piece in pieces:
            if piece.sha256:
                said = {"name": piece.name, "sha256": piece.sha256, "via": "export"}
                unit.record(incident, Happened.EVIDENCE_READ, by, **said)
    return pieces


async def _piece(desk: Desk, vault: Vault, members: _Members, piece: Evidence) -> None:
    told: Json = {"id": piece.id, "name": piece.name, "kind": piece.kind.value, "sha256": piece.sha256 or None}
    content = await _bytes(desk, vault, piece)
    if isinstance(content, str):
        members.missing.append(f"{piece.id} ({piece.name}): {content}")
        members.evidence.append({**told, "member": None, "why": content})
        return
    members.add(f"evidence/{piece.sha256}", content)
    members.evidence.append({**told, "member": f"evidence/{piece.sha256}"})


async def _bytes(desk: Desk, vault: Vault, piece: Evidence) -> bytes | str:
    """Or why they cannot be had, in words."""
    if not piece.sha256:
        return f"its bytes were never here ({piece.state.value.replace('_', ' ')})"
    async with desk.store.read() as session:
        held = await waiting(session, piece.sha256)
    if held is not None:
        return held
    try:
        return await vault.read(piece.sha256)
    except VaultFailed as error:
        return str(error).rstrip(".")


async def _runs(desk: Desk, members: _Members, number: int) -> None:
    async with desk.store.read() as session:
        wanted = select(ValidationRun).where(ValidationRun.incident == number).order_by(col(ValidationRun.id))
        for run in (await session.exec(wanted)).all():
            trials = (await session.exec(select(Trial).where(Trial.run == run.id).order_by(col(Trial.id)))).all()
            told = run.model_dump(mode="json", exclude={"lease_owner", "lease_until"})
            told["all_trials"] = [trial.model_dump(mode="json", exclude={"run"}) for trial in trials]
            members.add_json(f"validation/run-{run.id}.json", told)


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
