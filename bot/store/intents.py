"""Leases on intents: claim what is due, settle what was done. Exactly one process holds an intent at a time.

Decides order (priority, then age; nobody starves; posts to one room one after the other) and what a settlement writes.
What an intent does is its handler's; when to try again is the handler's outcome and `bot.store.runner`'s backoff.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.columns import Json
from bot.incident.outward import PRIORITY, Intent, IntentKind, IntentState
from bot.store.engine import Store
from bot.store.unit import SPACING, Unit

LEASE = timedelta(seconds=13)
"""A killed process's work is taken over after this, and so within 15 s (issue bar), the look and the claim included."""
TAKEN_OVER_AS = PRIORITY[IntentKind.OPEN_ROOM] * 10
"""What a dead process left in hand is as urgent as the opening of a room: however much waits, it is looked at in time."""
PATIENCE = timedelta(seconds=10)
"""After this the longest-waiting intent gets a place whatever its priority, so that nothing starves."""
TOGETHER = timedelta(seconds=2)
"""A post waits for an earlier one of its room that is due within this. One that is put off for longer is passed by."""

AT_ONCE = timedelta(seconds=1)


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
    wanted_at: datetime
    """Since when it was to happen, however often it was put off. Of a surface: not before."""
    until: datetime
    """The lease's end, which tells this claim from every other one of the same intent."""


async def claim(
    store: Store,
    owner: str,
    *,
    limit: int,
    kinds: tuple[IntentKind, ...] = tuple(IntentKind),
    fair: bool = True,
    besides: Collection[int] = (),
) -> list[Claim]:
    """Take up to `limit` due intents, most urgent first. An expired lease is taken over and marked uncertain.

    `fair`: one of the places goes to whatever has waited longest. `besides` are in this process's own hands: they are
    not taken over from itself, though a clock that stepped forward makes their leases look expired.
    """
    async with store.unit() as unit:
        free = and_(_takeable(unit.now, besides), col(Intent.kind).in_(kinds), ~_behind(unit.now))
        left = and_(col(Intent.state) == IntentState.SENDING, col(Intent.priority) > TAKEN_OVER_AS)
        order: list[Any] = [case((left, TAKEN_OVER_AS), else_=Intent.priority), col(Intent.due_at), col(Intent.id)]
        if fair:
            waited = select(Intent.id).where(free, col(Intent.due_at) <= unit.now - PATIENCE)
            longest = waited.order_by(col(Intent.due_at), col(Intent.id)).limit(1).scalar_subquery()
            order.insert(0, case((col(Intent.id) == longest, 0), else_=1))
        wanted = (
            select(Intent.id).where(free).order_by(*order).limit(limit).with_for_update(skip_locked=True).cte("wanted")
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


def _takeable(now: datetime, besides: Collection[int]) -> ColumnElement[bool]:
    due = and_(col(Intent.state) == IntentState.PENDING, col(Intent.due_at) <= now)
    abandoned = and_(col(Intent.state) == IntentState.SENDING, col(Intent.lease_until) <= now)
    return or_(due, and_(abandoned, col(Intent.id).not_in(besides)) if besides else abandoned)


def _behind(now: datetime) -> ColumnElement[bool]:
    """A post that an earlier one of the same room must come before: they are read in the order of what happened."""
    earlier = aliased(Intent)
    before = select(earlier.id).where(
        earlier.incident == Intent.incident, earlier.kind == IntentKind.POST, col(earlier.id) < col(Intent.id),
        col(earlier.state).in_((IntentState.PENDING, IntentState.SENDING)), earlier.due_at <= now + TOGETHER,
    )  # fmt: skip
    return and_(col(Intent.kind) == IntentKind.POST, before.exists())


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
        wanted_at=row.not_before,
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


async def waiting(unit: Unit, incident: int, prefix: str) -> bool:
    """Whether an intent of this incident whose key begins so is still to be done."""
    open_states = (IntentState.PENDING, IntentState.SENDING)
    wanted = select(Intent.id).where(
        Intent.incident == incident,
        col(Intent.state).in_(open_states),
        col(Intent.key).startswith(prefix, autoescape=True),
    )
    return (await unit.session.exec(wanted.limit(1))).first() is not None


async def more_urgent(session: AsyncSession, claim: Claim, now: datetime) -> bool:
    """Whether a more urgent intent of the same kind is due at once, or was claimed just now: it is to go before this one."""
    other = aliased(Intent)
    at_once = and_(col(other.state) == IntentState.PENDING, col(other.due_at) <= now + AT_ONCE)
    begun = and_(col(other.state) == IntentState.SENDING, col(other.lease_until) >= now + LEASE - AT_ONCE)
    wanted = select(other.id).where(other.kind == claim.kind, other.priority < Intent.priority, or_(at_once, begun))
    return (await session.exec(select(Intent.id).where(Intent.id == claim.id, wanted.exists()))).first() is not None


async def hurry(unit: Unit, incident: int, why: str) -> None:
    """What an incident's intents waited for, under this reason, is there: they are due now."""
    waiting = and_(col(Intent.incident) == incident, col(Intent.state) == IntentState.PENDING, col(Intent.error) == why)
    await unit.session.exec(update(Intent).where(waiting).values(due_at=unit.now))
    unit.wakes = True


async def reweigh(unit: Unit, incident: int, by: int) -> None:
    """The incident's severity changed by so much: what waits for it is as urgent as it is now."""
    await unit.flush()
    weighed = update(Intent).where(col(Intent.incident) == incident).values(priority=Intent.priority + by)
    await unit.session.exec(weighed.execution_options(synchronize_session=False))


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
