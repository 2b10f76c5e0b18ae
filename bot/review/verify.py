"""Proving an exported file, without a store, a vault or a network: its seal, every member, the chain, the approvals.

Decides in which order, and that a member that is missing, added or changed is named. Whose key signed it, a file cannot say: that
is compared with a fingerprint that came another way.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.incident.columns import Json
from bot.incident.errors import Invalid, Tampered
from bot.incident.work import Action
from bot.review.archive import FORMAT, Reader
from bot.review.bundle import INCIDENT, MANIFEST
from bot.store.export import proven

MANIFEST_BYTES, INCIDENT_BYTES = 64 << 20, 256 << 20
"""What is read into memory at once."""
SIGNED = frozenset({"approve", "break_glass"})


@dataclass(frozen=True)
class Proven:
    incident: str
    entries: int
    members: int
    pieces: int
    missing: Sequence[str]
    """Pieces of evidence that the export said it could not have, each with why."""
    fingerprint: str


def verify(path: Path, *, key: str | None = None) -> Proven:
    """`key`: the fingerprint that must have signed it, or its first 16 digits at least. Raises Tampered, ChainBroken, Invalid."""
    wanted = _fingerprint(key)
    reader = Reader(path)
    try:
        signer = _sealed(reader)
        if wanted is not None and not signer.startswith(wanted):
            raise reader.wrong(f"another key signed it, {signer}")
        with _readable(reader):
            return _proven(reader, _manifest(reader), signer)
    finally:
        reader.close()


def _fingerprint(given: str | None) -> str | None:
    if given is None:
        return None
    plain = given.replace(":", "").replace(" ", "").lower()
    if not 16 <= len(plain) <= 64 or not set(plain) <= set("0123456789abcdef"):
        raise Invalid("A fingerprint has 64 hexadecimal digits; at least 16 must be given.", field="key")
    return plain


def _sealed(reader: Reader) -> str:
    """The signer. Where the seal does not hold, the member that was changed is named if one can be."""
    try:
        return reader.check_seal()
    except Tampered:
        with contextlib.suppress(KeyError, TypeError, ValueError):
            _members(reader, _manifest(reader))
        raise


@contextlib.contextmanager
def _readable(reader: Reader) -> Any:
    """Whoever made the file chose what is in it: what cannot be read is no export."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise reader.wrong("its contents are not those of an export") from error


def _manifest(reader: Reader) -> Json:
    return _loaded(reader, MANIFEST, MANIFEST_BYTES)


def _loaded(reader: Reader, name: str, most: int) -> Json:
    info = reader.members.get(name)
    if info is None:
        raise reader.wrong(f"{name} is missing")
    if info.file_size > most:
        raise reader.wrong(f"{name} is larger than any export has it")
    loaded = json.loads(reader.read(name, size=info.file_size))
    if not isinstance(loaded, dict):
        raise reader.wrong(f"{name} is not what an export has there")
    return loaded


def _members(reader: Reader, manifest: Json) -> None:
    """Raises Tampered naming the first member that is missing, added or changed."""
    listed = {str(one["name"]): one for one in manifest["members"]}
    if added := sorted(reader.members.keys() - listed.keys() - {MANIFEST}):
        raise reader.wrong(f"{added[0]} was added")
    for name, one in listed.items():
        if reader.digest(name, size=int(one["size"])) != one["sha256"]:
            raise reader.wrong(f"{name} was changed")


def _proven(reader: Reader, manifest: Json, signer: str) -> Proven:
    if manifest["format"] != FORMAT or manifest["signer"]["fingerprint"] != signer:
        raise reader.wrong("its manifest names another form or another signer")
    _members(reader, manifest)
    document = _loaded(reader, INCIDENT, INCIDENT_BYTES)
    entries = proven(document)
    if manifest["incident"] != f"INC-{document['incident']['number']}":
        raise reader.wrong("its manifest is of another incident")
    _approvals(reader, document)
    missing = [f"{one['id']} ({one['name']}): {one['why']}" for one in manifest["evidence"] if one["member"] is None]
    kept = _evidence(reader, manifest, document)
    return Proven(manifest["incident"], entries, len(reader.members), kept, missing, signer)


def _approvals(reader: Reader, document: Json) -> None:
    """An action's digest is that of what stands there, and what was signed is on the timeline with the same digest."""
    said = {str(entry["data"].get("digest")) for entry in document["timeline"]}
    for row in document["actions"]:
        action = Action.model_validate({**row, "incident": document["incident"]["number"]})
        if action.digest != row["digest"]:
            raise reader.wrong(f"action {row['index']} is not what was approved")
    for one in document["approvals"]:
        if one["decision"] in SIGNED and str(one["digest"]) not in said:
            raise reader.wrong(f"an approval of {one['person']} is not on the timeline")


def _evidence(reader: Reader, manifest: Json, document: Json) -> int:
    """Every piece of the incident is in the manifest, with its bytes or with why not."""
    told = {one["id"]: one for one in manifest["evidence"]}
    digests = {one["name"]: one["sha256"] for one in manifest["members"]}
    for row in document["evidence"]:
        one = told.get(row["id"])
        if one is None or (one["sha256"] or "") != row["sha256"]:
            raise reader.wrong(f"evidence {row['id']} is not in its manifest")
        if one["member"] is not None and digests.get(one["member"]) != row["sha256"]:
            raise reader.wrong(f"evidence {row['id']} has other bytes than its digest")
    return sum(1 for one in manifest["evidence"] if one["member"] is not None)
