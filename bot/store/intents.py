"""Leases on intents: claim what is due, settle what was done. Exactly one process holds an intent at a time.

Decides order (priority, then age) and what a settlement writes. What an intent does is its handler's; when to try again
is the handler's outcome and `bot.store.runner`'s backoff.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, or_, update
from sqlmodel import col, select

from bot.incident.columns import Json
from bot.incident.outward import Intent, IntentKind, IntentState
from bot.store.engine import Store
from bot.store.unit import Unit

LEASE = timedelta(seconds=15)
"""A killed process's work is taken over after this (issue bar: within 15 s)."""
SPACING = timedelta(seconds=1)
"""A surface is updated at most this often: many changes in a second become one `chat.update`."""


@dataclass(frozen=True)
class Claim:
    """One intent in hand. `uncertain`: an earlier attempt may have acted outside, so look before repeating."""

    id: int
    key: str
    kind: IntentKind
    incident: int | None
    args: Json
    attempt: int
    generation: int
    uncertain: bool
    until: datetime
    """The lease's end, which tells this claim from every other one of the same intent."""


async def claim(
    store: Store, owner: str, *, limit: int, kinds: tuple[IntentKind, ...] = tuple(IntentKind)
) -> list[Claim]:
    """Take up to `limit` due intents, most urgent first. An expired lease is taken over and marked uncertain."""
    async with store.unit() as unit:
        due = and_(col(Intent.state) == IntentState.PENDING, col(Intent.due_at) <= unit.now)
        abandoned = and_(col(Intent.state) == IntentState.SENDING, col(Intent.lease_until) <= unit.now)
        wanted = (
            select(Intent.id)
            .where(or_(due, abandoned), col(Intent.kind).in_(kinds))
            .order_by(col(Intent.priority), col(Intent.due_at), col(Intent.id))
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("wanted")
        )
        taken = (
            update(Intent)
            .where(col(Intent.id).in_(select(wanted.c.id)))
            .values(
                uncertain=or_(col(Intent.uncertain), col(Intent.state) == IntentState.SENDING),
                state=IntentState.SENDING,
                attempts=col(Intent.attempts) + 1,
                lease_owner=owner,
                lease_until=unit.now + LEASE,
            )
            .returning(Intent.__table__)  # type: ignore[attr-defined]
            .execution_options(synchronize_session=False)
        )
        rows = (await unit.session.exec(taken)).all()
        # RETURNING promises no order.
        rows = sorted(rows, key=lambda row: (row.priority, row.due_at, row.id))
        return [_claim(row, unit.now + LEASE) for row in rows]


def _claim(row: Any, until: datetime) -> Claim:
    return Claim(
        id=row.id,
        key=row.key,
        kind=row.kind,
        incident=row.incident,
        args=row.args,
        attempt=row.attempts,
        generation=row.generation,
        uncertain=row.uncertain,
        until=until,
    )


async def settle_done(unit: Unit, claim: Claim, owner: str) -> bool:
    """Record that it happened. An intent asked for again meanwhile goes back to pending.

    False where the lease was lost to another process: then the unit must not be committed.
    """
    again = col(Intent.generation) > claim.generation
    return await _settle(
        unit,
        claim,
        owner,
        state=case((again, IntentState.PENDING), else_=IntentState.DONE),
        due_at=case((again, unit.now + SPACING), else_=col(Intent.due_at)),
        not_before=unit.now + SPACING,
        attempts=0,
        uncertain=False,
        settled_at=unit.now,
        error=None,
    )


async def settle_later(
    unit: Unit, claim: Claim, owner: str, *, after: timedelta, why: str, uncertain: bool, counts: bool = True
) -> bool:
    """`counts` False gives the attempt back: nothing was tried."""
    return await _settle(
        unit,
        claim,
        owner,
        state=IntentState.PENDING,
        due_at=unit.now + after,
        uncertain=uncertain,
        error=why[:500],
        attempts=claim.attempt if counts else claim.attempt - 1,
    )


async def hurry(unit: Unit, incident: int, why: str) -> None:
    """What an incident's intents waited for, under this reason, is there: they are due now."""
    waiting = and_(col(Intent.incident) == incident, col(Intent.state) == IntentState.PENDING, col(Intent.error) == why)
    await unit.session.exec(update(Intent).where(waiting).values(due_at=unit.now))
    unit.wakes = True


async def settle_never(unit: Unit, claim: Claim, owner: str, *, why: str) -> bool:
    return await _settle(unit, claim, owner, state=IntentState.GIVEN_UP, settled_at=unit.now, error=why[:500])


async def inherit(store: Store) -> int:
    """The only process on this store begins: whatever is in hand was begun by one that died. Returns how many.

    Without this a killed process's work would wait for the end of its leases.
    """
    async with store.unit() as unit:
        result = await unit.session.exec(
            update(Intent)
            .where(col(Intent.state) == IntentState.SENDING)
            .values(state=IntentState.PENDING, uncertain=True, lease_owner=None, lease_until=None, due_at=unit.now)
        )
        return result.rowcount


async def release(store: Store, owner: str, ids: list[int]) -> None:
    """Give back what was claimed and not begun, or cut short at shutdown."""
    if not ids:
        return
    async with store.unit() as unit:
        mine = and_(col(Intent.id).in_(ids), col(Intent.lease_owner) == owner, col(Intent.state) == IntentState.SENDING)
        await unit.session.exec(
            update(Intent)
            .where(mine)
            .values(state=IntentState.PENDING, uncertain=True, lease_owner=None, due_at=unit.now)
        )


async def _settle(unit: Unit, claim: Claim, owner: str, **values: Any) -> bool:
    mine = and_(
        col(Intent.id) == claim.id, col(Intent.lease_owner) == owner, col(Intent.state) == IntentState.SENDING,
        col(Intent.lease_until) == claim.until, col(Intent.attempts) == claim.attempt,
    )  # fmt: skip
    result = await unit.session.exec(
        update(Intent)
        .where(mine)
        .values(lease_owner=None, lease_until=None, **values)
        .execution_options(synchronize_session=False)
    )
    return bool(result.rowcount == 1)
