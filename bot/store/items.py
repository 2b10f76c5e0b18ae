"""Questions about action items and risks: one of them, an incident's, a person's, all of them.

Reads only. What is done with the answers is decided by the use cases, the Home tab and the export.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.errors import NotFound
from bot.incident.incident import Incident
from bot.incident.learning import ActionItem, Risk
from bot.incident.outward import Reminder, ReminderKind
from bot.incident.words import ItemState

PENDING = ItemState.PENDING


async def item(session: AsyncSession, number: int) -> ActionItem:
    """Raises NotFound."""
    found = await session.get(ActionItem, number)
    if found is None:
        raise NotFound(f"There is no action item {number}. `/incident action` lists those of a room, and yours.")
    return found


async def risk(session: AsyncSession, number: int) -> Risk:
    """Raises NotFound."""
    found = await session.get(Risk, number)
    if found is None:
        raise NotFound(f"There is no risk {number}. `/incident risk` lists those of a room, and yours.")
    return found


async def of_incident(session: AsyncSession, number: int) -> Sequence[ActionItem]:
    """All action items of an incident, in the order in which they were written."""
    return (
        await session.exec(select(ActionItem).where(ActionItem.incident == number).order_by(col(ActionItem.id)))
    ).all()


async def owned(
    session: AsyncSession, owner: str, *, due_until: datetime | None = None, limit: int = 100
) -> Sequence[ActionItem]:
    """What a person still has to do, the longest overdue first and what has no date last; or only what is due until then."""
    mine = select(ActionItem).where(ActionItem.owner == owner, ActionItem.state == PENDING)
    if due_until is not None:
        mine = mine.where(col(ActionItem.due_at) <= due_until)
    order = (col(ActionItem.due_at).is_(None), col(ActionItem.due_at), col(ActionItem.id))
    return (await session.exec(mine.order_by(*order).limit(limit))).all()


async def count_owned(session: AsyncSession, owner: str) -> int:
    """How many action items a person still has to do."""
    mine = select(func.count()).where(ActionItem.owner == owner, ActionItem.state == PENDING)
    return int((await session.exec(mine)).one())


async def count_overdue(session: AsyncSession, now: datetime, *, owner: str | None = None) -> int:
    """How many are overdue, of one person or of everybody."""
    wanted = select(func.count()).where(ActionItem.state == PENDING, col(ActionItem.due_at) < now)
    if owner is not None:
        wanted = wanted.where(ActionItem.owner == owner)
    return int((await session.exec(wanted)).one())


async def told_at(session: AsyncSession, number: int, fired_at: datetime) -> Sequence[ActionItem]:
    """The items without an owner of one incident whose reminders fired in that one transaction."""
    fired = select(Reminder).where(
        Reminder.incident == number, Reminder.kind == ReminderKind.ITEM_DUE, Reminder.fired_at == fired_at
    )
    ids = {int(one.args["item"]) for one in (await session.exec(fired)).all()}
    wanted = select(ActionItem).where(
        col(ActionItem.id).in_(ids), col(ActionItem.owner).is_(None), ActionItem.state == PENDING
    )
    return (await session.exec(wanted.order_by(col(ActionItem.due_at), col(ActionItem.id)))).all()


async def risks_of(session: AsyncSession, number: int) -> Sequence[Risk]:
    """All risks of an incident, in the order in which they were entered."""
    return (await session.exec(select(Risk).where(Risk.incident == number).order_by(col(Risk.id)))).all()


async def risks_owned(session: AsyncSession, owner: str, *, due_until: datetime | None = None) -> Sequence[Risk]:
    """A person's open risks; or only those whose review is due until then."""
    mine = select(Risk).where(Risk.owner == owner, col(Risk.closed_at).is_(None))
    if due_until is not None:
        mine = mine.where(col(Risk.review_at) <= due_until)
    return (await session.exec(mine.order_by(col(Risk.review_at).is_(None), col(Risk.review_at), col(Risk.id)))).all()


async def every_item(session: AsyncSession) -> Sequence[tuple[ActionItem, Incident]]:
    """All action items there are, with their incidents."""
    wanted = select(ActionItem, Incident).join(Incident, col(Incident.number) == col(ActionItem.incident))
    return (await session.exec(wanted.order_by(col(ActionItem.id)))).all()


async def every_risk(session: AsyncSession) -> Sequence[tuple[Risk, Incident]]:
    """The whole register, with the incidents."""
    wanted = select(Risk, Incident).join(Incident, col(Incident.number) == col(Risk.incident))
    return (await session.exec(wanted.order_by(col(Risk.id)))).all()
