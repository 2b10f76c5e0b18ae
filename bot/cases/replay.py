"""What a replay is made from: the incident's attack inputs and what people added, all of it evidence.

Decides which evidence is which part, and what nothing can be replayed without. How the parts become one pack is `assemble`'s;
what a pack may hold is `bot.validation.pack`'s.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import ValidationError
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.cases import evidence
from bot.incident.errors import Invalid
from bot.incident.evidence import Evidence
from bot.incident.incident import Actor, Incident
from bot.incident.words import EvidenceKind, EvidenceState
from bot.store import Unit
from bot.validation.pack import (
    IndicatorKind,
    Origin,
    Pack,
    Payload,
    made,
    parse_indicator,
)

AT_HAND = frozenset({EvidenceState.WAITING, EvidenceState.KEPT})
TURN = re.compile(r"^\s*---\s*$", re.MULTILINE)
"""A line that parts the turns of what a person adds. What came from elsewhere is one turn, whatever stands in it."""
NOT_SHOWN = "An indicator is not shown: it may be a secret."


class Part(StrEnum):
    """What a piece is in a replay. Stands in the piece's `origin` under `replay`; attack inputs need no such mark."""

    PAYLOAD = "payload"
    INDICATOR = "indicator"
    BENIGN = "benign"
    POSITIVE = "positive"
    PACK = "pack"
    """Several parts at once, as an import made them."""
    FILE = "file"
    """A file that was imported: what it holds stands in a pack of its own."""


@dataclass(frozen=True)
class Given:
    """One part that a person adds."""

    part: Part
    text: str
    kind: IndicatorKind = IndicatorKind.LITERAL
    """Of an indicator."""
    origin: Origin = Origin.ORIGINAL
    """Of a payload."""


@dataclass(frozen=True)
class Material:
    """The pieces of evidence that a replay is made from."""

    pieces: dict[Part, list[Evidence]] = field(default_factory=dict)
    gone: int = 0
    """Attack inputs of which only the digest is known, or whose bytes were lost."""

    def of(self, part: Part) -> Sequence[Evidence]:
        return self.pieces.get(part, ())

    def __len__(self) -> int:
        return sum(len(some) for some in self.pieces.values())


async def material(session: AsyncSession, number: int) -> Material:
    """What there is, in the order in which it was added."""
    marked = col(Evidence.origin)["replay"].as_string().is_not(None)
    wanted = select(Evidence).where(
        Evidence.incident == number, or_(col(Evidence.kind) == EvidenceKind.ADVERSARIAL_INPUT, marked)
    )
    found, gone = Material(), 0
    for piece in (await session.exec(wanted.order_by(col(Evidence.id)))).all():
        if piece.state in AT_HAND:
            found.pieces.setdefault(part_of(piece), []).append(piece)
        else:
            gone += 1
    return Material(found.pieces, gone)


def part_of(piece: Evidence) -> Part:
    named = str(piece.origin.get("replay", ""))
    return Part(named) if named in set(Part) else Part.PAYLOAD


async def add(unit: Unit, incident: Incident, actor: Actor, given: Given) -> Evidence:
    """Keep one part as evidence; a file is not one. Raises Invalid where it could be no part of a pack, in words without the
    text."""
    text = given.text.strip()
    origin = {"replay": given.part.value}
    match given.part:
        case Part.INDICATOR:
            parse_indicator(given.kind, text)
            origin["indicator"] = given.kind.value
        case Part.PAYLOAD:
            payload(text, given.origin, turns=True)
            origin["origin"] = given.origin.value
        case Part.BENIGN:
            made(benign=[text])
        case Part.POSITIVE:
            made(positive=[text])
        case Part.PACK:
            Pack.from_bytes(text.encode())
    shown = NOT_SHOWN if given.part in {Part.INDICATOR, Part.PACK} else None
    new = evidence.New(
        KINDS[given.part], NAMES[given.part], text.encode(), source="slack", origin=origin, excerpt=shown
    )
    return await evidence.add(unit, incident, actor, new)


KINDS = {
    Part.PAYLOAD: EvidenceKind.ADVERSARIAL_INPUT,
    Part.INDICATOR: EvidenceKind.OTHER,
    Part.BENIGN: EvidenceKind.OTHER,
    Part.POSITIVE: EvidenceKind.LOGS,
    Part.PACK: EvidenceKind.PACK,
}
NAMES = {
    Part.PAYLOAD: "payload.txt",
    Part.INDICATOR: "indicator.txt",
    Part.BENIGN: "benign-request.txt",
    Part.POSITIVE: "recorded-answer.txt",
    Part.PACK: "imported-pack.json",
}


SPOKEN = {
    Part.PAYLOAD: "a payload",
    Part.INDICATOR: "an indicator",
    Part.BENIGN: "an innocent request",
    Part.POSITIVE: "an answer recorded when the attack worked",
    Part.PACK: "an imported pack",
    Part.FILE: "a file",
}
"""What a piece is called, to people."""


def payload(text: str, origin: Origin, *, turns: bool, name: str = "") -> Payload:
    """Raises Invalid."""
    said = tuple(turn.strip() for turn in TURN.split(text) if turn.strip()) if turns else (text,)
    try:
        return Payload(turns=said, origin=origin, name=name[:200])
    except ValidationError:
        raise Invalid("A payload has text, and at most 64 KB in each turn. Shorten or split it.") from None


def lacking(found: Material, canaries: int) -> list[str]:
    """What nothing could be replayed without, in words for whoever adds it."""
    said = []
    if not found.of(Part.PAYLOAD) and not found.of(Part.PACK):
        said.append("what the attacker sent")
    if not found.of(Part.INDICATOR) and not found.of(Part.PACK) and not canaries:
        said.append("a text by which an answer shows that the attack worked")
    return said
