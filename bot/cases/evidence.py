"""Evidence: a piece is added, and read. Custody is the timeline: who, when, from where, every read before its bytes.

Decides what is stored of a piece, and that no bytes are handed out that were not recorded first. The originals go to the
vault (`bot.cases.keep`); everything that is shown of them is redacted (design law 6).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlmodel import select

from bot.cases import fingerprint, monitoring
from bot.cases.context import Context
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.errors import Missing, NotFound, Refused
from bot.incident.evidence import Evidence
from bot.incident.incident import Actor, Incident
from bot.incident.outward import IntentKind
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import EvidenceKind, EvidenceState
from bot.store import Unit, queries, waiting

EXCERPT = 500
HEAD = 100_000
"""Bytes of a text that are looked at for its excerpt and its fingerprint."""
LONGEST_NAME = 200


@dataclass(frozen=True)
class New:
    """A piece whose bytes are at hand."""

    kind: EvidenceKind
    name: str
    content: bytes
    source: str
    """From where it comes: an alert's source, `slack`, a connector's name, `cli`."""
    media_type: str = "text/plain"
    note: str | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)
    """Ids by which its source knows it."""
    captured_at: datetime | None = None
    excerpt: str | None = None
    """What may be shown of it; None: the beginning of the text, redacted."""

    @cached_property
    def same(self) -> tuple[str, str]:
        """Its name as it is stored, and the SHA-256 of its bytes: what makes two of them one."""
        return named(self.name), hashlib.sha256(self.content).hexdigest()


async def add(unit: Unit, incident: Incident, actor: Actor, new: New) -> Evidence:
    """Store a piece; its bytes wait in the same transaction, and an intent carries them to the vault.

    The same bytes under the same name are one piece: the first one is returned. The incident must be locked by the unit or
    new in it. How many bytes may come in with a transaction is the caller's: files are streamed (`bot.cases.files`).
    """
    if (same := await _same(unit, incident, *new.same)) is not None:
        return same
    (piece,) = await add_together(unit, incident, actor, [new])
    return piece


async def add_together(unit: Unit, incident: Incident, actor: Actor, new: Sequence[New]) -> Sequence[Evidence]:
    """The same for several pieces, none of which the incident has yet: as many statements as for one."""
    pieces = [_piece(unit, incident, actor, one) for one in new]
    for piece in pieces:
        unit.record(incident, Happened.EVIDENCE_ADDED, actor, name=piece.name, sha256=piece.sha256)
    unit.add(*pieces)
    await unit.session.flush()  # gives them their ids; all else of the unit may wait
    for piece in pieces:
        await unit.intend(IntentKind.KEEP, f"keep:{piece.id}", incident=incident, args={"evidence": piece.id})
    texts = [
        (text_of(one.content, one.media_type), piece.id)
        for one, piece in zip(new, pieces, strict=True)
        if one.kind in PAYLOADS
    ]
    if texts and await fingerprint.remember_all(unit, incident, texts):
        await monitoring.look_alike(unit, incident)
    return pieces


def _piece(unit: Unit, incident: Incident, actor: Actor, new: New) -> Evidence:
    """Its bytes wait from now on."""
    shown = text_of(new.content, new.media_type) if new.excerpt is None else new.excerpt
    return Evidence(
        incident=incident.number,
        kind=new.kind,
        name=new.same[0],
        sha256=waiting.wait(unit, new.content),
        size=len(new.content),
        media_type=new.media_type,
        excerpt=clip(redact(shown), EXCERPT),
        source=new.source,
        origin=dict(new.origin),
        note=clip(redact(new.note), 1000) if new.note else None,
        state=EvidenceState.WAITING,
        captured_at=new.captured_at,
        added_by=actor.id,
        added_at=unit.now,
    )


async def read(
    ctx: Context,
    reader: Caller | Actor,
    number: int,
    evidence_id: int,
    via: str | None = None,
    reason: str | None = None,
) -> bytes:
    """The original bytes. That they are read is on the timeline before they are handed out, also where they are missing.

    `via`: from where, for the timeline; None: what the caller says. Raises Refused for somebody who is not a full member,
    NotFound, Missing.
    """
    caller = reader if isinstance(reader, Caller) else None
    actor = reader.actor if isinstance(reader, Caller) else reader
    if caller is not None:
        member(caller)
        via = via or (caller.via.value if caller.via is not None else None)
    said = {name: value for name, value in (("via", via), ("reason", reason and clip(redact(reason), 1000))) if value}
    async with ctx.store.unit(inbound=caller.inbound if caller else None) as unit:
        incident = await unit.incident(number)
        piece = await find(unit, incident, evidence_id)
        if not piece.sha256:
            raise Refused(f"The bytes of evidence {evidence_id} are not here: {piece.state.value.replace('_', ' ')}.")
        unit.record(incident, Happened.EVIDENCE_READ, actor, name=piece.name, sha256=piece.sha256, **said)
        digest = piece.sha256
    return await content_of(ctx, digest)


async def content_of(ctx: Context, sha256: str) -> bytes:
    """The bytes, from the vault or while they wait for it. For uses that record custody themselves. Raises Missing."""
    async with ctx.store.read() as session:
        held = await waiting.waiting(session, sha256)
    if held is not None:
        return held
    if ctx.vault is None:
        raise Missing(sha256, "no vault is at hand")
    return await ctx.vault.read(sha256)


async def find(unit: Unit, incident: Incident, evidence_id: int) -> Evidence:
    """A piece of this incident by its id. Raises NotFound."""
    found = await queries.evidence(unit.session, incident.number, evidence_id)
    if found is None:
        raise NotFound(
            f"{incident.name} has no evidence {evidence_id}. `/incident evidence {incident.name}` lists what it has."
        )
    return found


def named(given: str) -> str:
    """As people named it, redacted and on one line. It is shown, and never used as a path."""
    return clip(redact(" ".join(given.split())), LONGEST_NAME) or "without a name"


def text_of(content: bytes, media_type: str) -> str:
    """What can be read of it; empty where it is no text."""
    return content[:HEAD].decode("utf-8", errors="replace") if readable(media_type) else ""


def readable(media_type: str) -> bool:
    """Whether it calls itself text."""
    return media_type.startswith("text/") or media_type in READABLE


PAYLOADS = frozenset({EvidenceKind.ADVERSARIAL_INPUT, EvidenceKind.TEXT, EvidenceKind.CREDENTIAL})
"""Kinds in whose text an attack may stand: similar incidents are found by it."""
READABLE = frozenset({"application/json", "application/x-ndjson", "application/yaml", "application/xml"})


async def _same(unit: Unit, incident: Incident, name: str, digest: str) -> Evidence | None:
    await unit.flush()
    wanted = select(Evidence).where(
        Evidence.incident == incident.number, Evidence.name == name, Evidence.sha256 == digest
    )
    return (await unit.session.exec(wanted)).one_or_none()
