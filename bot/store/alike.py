"""Which incidents are like one: by fingerprints of payloads, by trigger, subject, application and category.

Decides what is looked at, never what it is worth: scoring is `bot.cases.similar`'s. A drill is like nothing, and nothing is
like a drill.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Integer, cast, func
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.evidence import Fingerprint
from bot.incident.fingerprint import SAME
from bot.incident.incident import Incident
from bot.incident.words import SubjectKind

MOST = 50


class Shared(NamedTuple):
    """Fingerprints that another incident has in common with one."""

    incident: int
    same: int
    """So many of them are exact."""
    all: int


async def sharing(session: AsyncSession, number: int) -> Sequence[Shared]:
    """Other incidents with a fingerprint of this one, those with the most exact ones first, then the latest. At most 50."""
    mine, theirs = aliased(Fingerprint), aliased(Fingerprint)
    same = func.sum(cast(col(theirs.value).startswith(f"{SAME}:"), Integer))
    found = (
        select(theirs.incident, same, func.count())
        .join(mine, (col(mine.value) == col(theirs.value)) & (col(mine.incident) == number))
        .join(Incident, col(Incident.number) == col(theirs.incident))
        .where(col(theirs.incident) != number, col(Incident.drill).is_(False))
        .group_by(col(theirs.incident))
        .order_by(same.desc(), func.count().desc(), col(theirs.incident).desc())
        .limit(MOST)
    )
    return [Shared(other, int(exact), count) for other, exact, count in (await session.exec(found)).all()]


async def known_elsewhere(session: AsyncSession, number: int, values: Collection[str]) -> bool:
    """Another incident has one of these fingerprints."""
    elsewhere = (
        select(Fingerprint.id)
        .join(Incident, col(Incident.number) == col(Fingerprint.incident))
        .where(col(Fingerprint.value).in_(values), col(Fingerprint.incident) != number, col(Incident.drill).is_(False))
        .limit(1)
    )
    return (await session.exec(elsewhere)).first() is not None


async def same_again(session: AsyncSession, incident: Incident, *, after: datetime | None = None) -> bool:
    """There is another incident of the same trigger on the same subject. `after`: declared then or later."""
    if incident.trigger is None or incident.subject_id is None:
        return False
    again = select(Incident.number).where(
        Incident.subject_id == incident.subject_id,
        Incident.subject_kind == incident.subject_kind,
        Incident.trigger == incident.trigger,
        Incident.number != incident.number,
        col(Incident.drill).is_(False),
    )
    if after is not None:
        again = again.where(Incident.declared_at >= after)
    return (await session.exec(again.limit(1))).first() is not None


async def resembling(
    session: AsyncSession, incident: Incident, *, also: Collection[int] = (), after: datetime | None = None
) -> Sequence[Incident]:
    """Other incidents of the same trigger, on the same subject, of the same kind in the same application, and those of `also`.

    The latest 50 of each. `after`: declared then or later.
    """
    others = [col(Incident.number) != incident.number, col(Incident.drill).is_(False)]
    if after is not None:
        others.append(col(Incident.declared_at) >= after)
    found: dict[int, Incident] = {}
    for about in _about(incident, also):
        wanted = select(Incident).where(*about, *others).order_by(col(Incident.number).desc()).limit(MOST)
        found |= {row.number: row for row in (await session.exec(wanted)).all()}
    return list(found.values())


def _about(incident: Incident, also: Collection[int]) -> Iterator[Sequence[ColumnElement[bool]]]:
    """One question for each, so that every one of them has its index: together they would read the whole table."""
    if also:
        yield [col(Incident.number).in_(also)]
    if incident.subject_id is not None and incident.subject_kind is not SubjectKind.UNKNOWN:
        who = (col(Incident.subject_id) == incident.subject_id, col(Incident.subject_kind) == incident.subject_kind)
        yield who
    if incident.trigger is not None:
        yield [col(Incident.trigger) == incident.trigger]
    if incident.category is not None and incident.app is not None:
        yield [col(Incident.app) == incident.app, col(Incident.category) == incident.category]
