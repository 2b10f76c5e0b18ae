"""What a person may see on their Home tab: read here, so that nothing else ever reaches the card.

Decides that an incident's title is for who is in its room or holds a role in it; of all others there is the public line. Who
is in which room only Slack knows, and is handed in.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.homefile import HomeFile
from bot.incident.incident import Incident, RoleHeld
from bot.incident.words import ActionState
from bot.incident.work import Action
from bot.store import items

MOST_RUNNING, MOST_ITEMS, MOST_WAITING = 100, 25, 15


async def home_file(
    session: AsyncSession, person: str, now: datetime, *, rooms: Collection[str] | None, approvers: Collection[str]
) -> HomeFile:
    """`rooms`: ids of the channels that they are in; None where every member may read every room. `approvers`: roles of
    the room that may decide about containment."""
    order = (col(Incident.severity), col(Incident.number))
    open_ones = select(Incident).where(col(Incident.ended_at).is_(None)).order_by(*order).limit(MOST_RUNNING)
    running = (await session.exec(open_ones)).all()
    held = await _held(session, person)
    inside = [one for one in running if one.number in held or rooms is None or one.channel_id in rooms]
    seen = {one.number for one in inside}
    deciding = {number for number, roles in held.items() if roles & set(approvers)} & seen
    return HomeFile(
        person=person,
        now=now,
        inside=inside,
        outside=[one for one in running if one.number not in seen],
        running=int((await session.exec(select(func.count()).where(col(Incident.ended_at).is_(None)))).one()),
        waiting=await _waiting(session, deciding, now),
        items=await items.owned(session, person, limit=MOST_ITEMS),
        item_count=await items.count_owned(session, person),
        overdue=await items.count_overdue(session, now, owner=person),
        overdue_all=await items.count_overdue(session, now),
        risks=await items.risks_owned(session, person, due_until=now),
    )


async def _held(session: AsyncSession, person: str) -> dict[int, set[str]]:
    """Roles that the person holds in incidents that run, by incident."""
    mine = select(RoleHeld).join(Incident, col(Incident.number) == col(RoleHeld.incident))
    rows = await session.exec(mine.where(RoleHeld.person == person, col(Incident.ended_at).is_(None)))
    held: dict[int, set[str]] = {}
    for row in rows.all():
        held.setdefault(row.incident, set()).add(row.role.value)
    return held


async def _waiting(session: AsyncSession, numbers: Collection[int], now: datetime) -> Sequence[tuple[Incident, Action]]:
    if not numbers:
        return []
    wanted = (
        select(Incident, Action)
        .join(Action, col(Action.incident) == col(Incident.number))
        .where(col(Incident.number).in_(numbers), Action.state == ActionState.PROPOSED)
        .where(col(Action.expires_at).is_(None) | (col(Action.expires_at) > now))
        .order_by(col(Incident.severity), col(Incident.number), col(Action.index))
        .limit(MOST_WAITING)
    )
    return (await session.exec(wanted)).all()
