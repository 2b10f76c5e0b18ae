"""Bytes that wait in the store for the vault: written with the transaction that brought them, gone once they are kept.

Decides when nobody needs them any more. When they are carried over is `bot.cases.keep`'s.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.evidence import Evidence, WaitingBytes
from bot.incident.words import EvidenceState
from bot.store.unit import Unit

FORGOTTEN = timedelta(days=1)
"""A form that was opened on a message and never sent leaves bytes behind: they go after this."""


def wait(unit: Unit, content: bytes) -> str:
    """Have bytes wait, once however often they come; returns their SHA-256."""
    digest = hashlib.sha256(content).hexdigest()
    unit.want(WaitingBytes, {"sha256": digest, "content": content, "at": unit.now})
    return digest


async def waiting(session: AsyncSession, sha256: str) -> bytes | None:
    """The bytes; None where they do not wait (any more)."""
    return (await session.exec(select(WaitingBytes.content).where(WaitingBytes.sha256 == sha256))).one_or_none()


async def forget(unit: Unit, sha256: str) -> None:
    """They are kept: away with them, unless another piece still waits for the same ones. And with what nobody came for."""
    await unit.flush()
    same = col(Evidence.sha256) == col(WaitingBytes.sha256)
    awaited = select(Evidence.id).where(same, Evidence.state == EvidenceState.WAITING).exists()
    done = (col(WaitingBytes.sha256) == sha256) | (col(WaitingBytes.at) < unit.now - FORGOTTEN)
    await unit.session.exec(delete(WaitingBytes).where(done, ~awaited))
