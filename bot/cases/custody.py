"""Is the evidence of an incident still what the timeline says? Asked by `firsthour verify`.

Decides what is compared: every piece's row with the hash-chained timeline, and every kept piece's bytes with its digest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from bot.evidence import Vault
from bot.incident.evidence import Evidence
from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.words import EvidenceState
from bot.store import Store, queries

CAME = frozenset({Happened.EVIDENCE_ADDED, Happened.EVIDENCE_KEPT})


@dataclass(frozen=True)
class Custody:
    entries: int
    """Of the timeline, whose chain holds."""
    kept: int
    """Pieces whose bytes were read in the vault and hash to what the timeline says."""
    wrong: tuple[str, ...]
    """What does not hold, a sentence a piece, without the end of the sentence."""


async def verify(store: Store, open_vault: Callable[[], Vault], number: int) -> Custody:
    """The vault is opened only where something is kept. Raises NotFound, ChainBroken, and what `Vault` raises."""
    async with store.read() as session:
        entries = await queries.verify_timeline(session, number)
        timeline = await queries.timeline(session, number)
        mine = select(Evidence).where(Evidence.incident == number).order_by(col(Evidence.id))
        pieces = (await session.exec(mine)).all()
    said = _said(timeline)
    held = {(piece.name, piece.sha256) for piece in pieces}
    wrong = [f"“{name}” is on the timeline and not among the evidence" for name, sha in sorted(said - held) if sha]
    kept = [piece for piece in pieces if piece.state is EvidenceState.KEPT]
    wrong += [f"evidence {one.id} has another digest than the timeline" for one in kept if _key(one) not in said]
    if not kept:
        return Custody(entries, 0, tuple(wrong))
    vault, sound = open_vault(), 0
    try:
        for piece in kept:
            found = await vault.check(piece.sha256)
            sound += found.kept
            if not found.kept:
                wrong.append(f"evidence {piece.id} (sha256 {piece.sha256[:12]}…) is {found.detail}")
    finally:
        await vault.close()
    return Custody(entries, sound, tuple(wrong))


def _key(piece: Evidence) -> tuple[str, str]:
    return piece.name, piece.sha256


def _said(timeline: Sequence[TimelineEntry]) -> set[tuple[str, str]]:
    came = [entry.data for entry in timeline if entry.kind in CAME]
    return {(str(data.get("name")), str(data.get("sha256") or "")) for data in came}
