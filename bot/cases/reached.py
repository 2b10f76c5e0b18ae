"""Which containment reaches the identity that an attack is replayed with: what holds it back says nothing about the fix.

Decides what counts. Narrow where a scope names somebody else, wide where it touches everybody: rather a run too many is called
“under containment only” than one too few. What cannot be undone is no containment to lift but part of the fix.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.incident import Incident
from bot.incident.words import ActionKind, ActionState, ScopeKind
from bot.incident.work import Action

HELD = (ActionState.VERIFIED, ActionState.UNKNOWN, ActionState.EXECUTING)
WIDE = frozenset({ScopeKind.EVERYONE, ScopeKind.APPLICATION, ScopeKind.ENDPOINT})


async def reached(
    session: AsyncSession, incident: Incident, identity: str, *, since: datetime | None = None
) -> Sequence[Action]:
    """Actions in force, of this incident and of others about the same application, that reach the identity.

    `since`: those as well that were reverted after that moment.
    """
    lasted: list[ColumnElement[bool]] = [col(Action.state).in_(HELD)]
    if since is not None:
        lasted.append(col(Action.reverted_at) >= since)
    same: list[ColumnElement[bool]] = [
        col(Incident.number) == incident.number,
        col(Action.scope_kind) == ScopeKind.EVERYONE,
    ]
    if incident.app is not None:
        same.append(col(Incident.app) == incident.app)
    by_name = col(Action.scope_id) == identity
    of_any = select(Action).join(Incident, col(Incident.number) == col(Action.incident))
    of_any = of_any.where(or_(*same, by_name), col(Action.reversible).is_(True))
    found: dict[tuple[int, int], Action] = {}
    for how in lasted:  # one question for each, so that it has its index: together they would read the whole table
        found |= {(one.incident, one.index): one for one in (await session.exec(of_any.where(how))).all()}
    return [action for _, action in sorted(found.items()) if _reaches(action, identity)]


def _reaches(action: Action, identity: str) -> bool:
    """Documents that are withheld are withheld from everybody."""
    if action.kind is ActionKind.RESTRICT_RAG or action.scope_kind in WIDE:
        return True
    return action.scope_kind is ScopeKind.USER and action.scope_id == identity
