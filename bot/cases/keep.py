"""Bytes that came in with a transaction are carried to the vault, and it is recorded that they are kept.

Decides that nothing is forgotten while the vault is full or away: the bytes wait in the store however long it takes, and the
room is told once. Putting is harmless to repeat, so a crash between it and its record leaves nothing to settle.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from bot.cases.context import Context
from bot.evidence import Vault
from bot.incident.errors import Missing, TooLarge, VaultFailed, VaultFull
from bot.incident.evidence import Evidence
from bot.incident.incident import SYSTEM
from bot.incident.outward import IntentKind
from bot.incident.timeline import Happened
from bot.incident.words import EvidenceState
from bot.store import Unit, waiting
from bot.store.intents import Claim
from bot.store.runner import Done, Later, Outcome, Record

log = structlog.get_logger()

AGAIN, FULL = timedelta(seconds=10), timedelta(minutes=1)


async def keep(ctx: Context, claim: Claim) -> Outcome:
    """`{"evidence": id}`."""
    vault = vault_of(ctx)
    async with ctx.store.read() as session:
        piece = await session.get(Evidence, int(claim.args["evidence"]))
        content = await waiting.waiting(session, piece.sha256) if piece is not None else None
    if piece is None or piece.id is None or piece.state is not EvidenceState.WAITING:
        return Done()
    try:
        if content is not None:
            await vault.put(content, most=max(len(content), ctx.org.evidence.most))
        else:
            await vault.read(piece.sha256)  # the same bytes of another piece went there before
    except (TooLarge, Missing) as error:
        return Done(lost(piece.incident, piece.id, str(error)))
    except VaultFailed as error:
        return await later(ctx, piece, error)
    return Done(_kept(piece.incident, piece.id))


def vault_of(ctx: Context) -> Vault:
    assert ctx.vault is not None, "only where there is a vault is anything carried to it"
    return ctx.vault


async def later(ctx: Context, piece: Evidence, error: VaultFailed) -> Later:
    """It is tried until it works. Of a full vault the room is told, once."""
    full = isinstance(error, VaultFull)
    log.warning("vault.failed", incident=piece.incident, evidence=piece.id, why=type(error).__name__)
    if full:
        async with ctx.store.unit() as unit:
            incident = await unit.incident(piece.incident)
            key = f"post:vault_full:{incident.number}"
            await unit.intend(IntentKind.POST, key, incident=incident, args={"message": "vault_full"})
    return Later(str(error), after=FULL if full else AGAIN, counts=False)


def _kept(number: int, evidence_id: int) -> Record:
    async def write(unit: Unit) -> None:
        incident = await unit.incident(number)
        piece = await unit.session.get(Evidence, evidence_id)
        if piece is None or piece.state is not EvidenceState.WAITING:
            return
        piece.state, piece.kept_at = EvidenceState.KEPT, unit.now
        unit.record(incident, Happened.EVIDENCE_KEPT, SYSTEM, name=piece.name, sha256=piece.sha256)
        await waiting.forget(unit, piece.sha256)

    return write


def lost(number: int, evidence_id: int, why: str) -> Record:
    """`why`: a sentence for the room, with nothing of the piece in it."""

    async def write(unit: Unit) -> None:
        incident = await unit.incident(number)
        piece = await unit.session.get(Evidence, evidence_id)
        if piece is None or piece.state is not EvidenceState.WAITING:
            return
        piece.state = EvidenceState.LOST
        seen = {"sha256": piece.sha256} if piece.sha256 else {}
        unit.record(incident, Happened.EVIDENCE_LOST, SYSTEM, name=piece.name, **seen, why=why)
        args = {"message": "evidence_lost", "evidence": evidence_id, "why": why}
        await unit.intend(IntentKind.POST, f"post:evidence_lost:{evidence_id}", incident=incident, args=args)

    return write
