"""Suppressions in the store: put, found, ended. Who may is the use case's; what one covers is `bot.cases.suppressed`'s."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.errors import NotFound
from bot.incident.registered import Suppression
from bot.store.registered import changed
from bot.store.unit import Unit


async def add(unit: Unit, suppression: Suppression) -> int:
    """Returns the number by which people call it."""
    unit.add(suppression)
    await changed(unit)
    await unit.flush()
    assert suppression.id is not None
    return suppression.id


async def find(unit: Unit, number: int) -> Suppression:
    """Locked until the unit ends. Raises NotFound."""
    wanted = select(Suppression).where(Suppression.id == number).with_for_update()
    found = (await unit.session.exec(wanted.execution_options(populate_existing=True))).one_or_none()
    if found is None:
        raise NotFound(f"There is no suppression {number}. `/incident suppressions` shows those that stand.")
    return found


async def standing(session: AsyncSession, now: datetime) -> Sequence[Suppression]:
    """Those that run or are to come, the one that ends first before the others."""
    wanted = select(Suppression).where(col(Suppression.over_at).is_(None), Suppression.ends_at > now)
    return (await session.exec(wanted.order_by(col(Suppression.ends_at), col(Suppression.id)))).all()


async def expired(unit: Unit) -> Sequence[Suppression]:
    """Those whose end has come and is not noted yet; locked, so that of several processes one notes it."""
    wanted = select(Suppression).where(col(Suppression.over_at).is_(None), Suppression.ends_at <= unit.now)
    return (await unit.session.exec(wanted.order_by(col(Suppression.id)).with_for_update(skip_locked=True))).all()


async def running(session: AsyncSession, now: datetime) -> int:
    """How many apply at this moment, for the metrics."""
    wanted = select(func.count()).where(
        col(Suppression.over_at).is_(None), Suppression.starts_at <= now, Suppression.ends_at > now
    )
    return (await session.exec(wanted)).one()
