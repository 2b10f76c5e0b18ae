"""The pack of one replay: bytes of evidence, canaries and the playbook's innocent requests become one document.

Decides that every piece is recorded as read before its bytes are, and what is left out with a word. Which evidence is which
part is `replay`'s.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from bot.cases import evidence, replay
from bot.cases.context import Context
from bot.cases.replay import Material, Part
from bot.incident.errors import Invalid, Missing
from bot.incident.evidence import Evidence
from bot.incident.incident import Actor, Incident
from bot.incident.timeline import Happened
from bot.store import Unit
from bot.validation.pack import Indicator, IndicatorKind, Origin, Pack, Payload, made, merge, parse_indicator


@dataclass(frozen=True)
class Made:
    pack: Pack
    left_out: tuple[str, ...] = ()
    """Which pieces could not be used, and why: sentences without a word of theirs."""


def record_reading(unit: Unit, incident: Incident, actor: Actor, pieces: Iterable[Evidence]) -> None:
    """Custody: before the bytes are asked for."""
    for piece in pieces:
        said = {"name": piece.name, "sha256": piece.sha256, "via": "validation"}
        unit.record(incident, Happened.EVIDENCE_READ, actor, **said)


async def assemble(ctx: Context, incident: Incident, found: Material, vulnerable: str | None) -> Made:
    """The pack of these pieces, whose reading was recorded. Raises Missing where the vault has lost one, Invalid where the
    whole is no pack."""
    left: list[str] = []
    texts = {part: [one async for one in _texts(ctx, found.of(part), left)] for part in Part}
    canaries = await ctx.canaries.values(incident.app) if ctx.canaries is not None else ()
    payloads = {one.id: one for piece, text in texts[Part.PAYLOAD] if (one := _usable(piece, text, left)) is not None}
    own = made(
        incident=incident.name,
        title=incident.title[:200],
        vulnerable_version=vulnerable,
        payloads=payloads.values(),
        indicators=[
            *(Indicator(kind=IndicatorKind.CANARY, value=value, name=name) for name, value in canaries),
            *(parse_indicator(_kind(piece), text) for piece, text in texts[Part.INDICATOR]),
        ],
        benign=dict.fromkeys([*ctx.playbook.validation.benign, *(text for _, text in texts[Part.BENIGN])]),
        positive=dict.fromkeys(text for _, text in texts[Part.POSITIVE]),
    )
    imported = [Pack.from_bytes(text.encode()) for _, text in texts[Part.PACK]]
    return Made(merge([own, *imported]) if imported else own, tuple(dict.fromkeys(left)))


async def _texts(ctx: Context, pieces: Sequence[Evidence], left: list[str]) -> AsyncIterator[tuple[Evidence, str]]:
    for piece in pieces:
        try:
            yield piece, (await evidence.content_of(ctx, piece.sha256)).decode()
        except Missing:
            left.append(f"the vault has evidence {piece.id} no longer")
        except UnicodeDecodeError:
            left.append(f"evidence {piece.id} is no text")


def _usable(piece: Evidence, text: str, left: list[str]) -> Payload | None:
    """None where it is blank or too long to be sent; said once."""
    added = piece.origin.get("replay") == Part.PAYLOAD.value
    origin = str(piece.origin.get("origin", Origin.ORIGINAL.value))
    try:
        return replay.payload(text, Origin(origin), turns=added, name=piece.name)
    except Invalid:
        left.append(f"evidence {piece.id} is blank, or longer than the 64 KB of one turn")
        return None


def _kind(piece: Evidence) -> IndicatorKind:
    named = str(piece.origin.get("indicator", ""))
    return IndicatorKind(named) if named in set(IndicatorKind) else IndicatorKind.LITERAL
