"""Home tabs: who opened theirs, and that it is shown anew. One intent a person, which is both the memory and the act.

Decides that a tab is published at most once a second however much changes, and only for people who have opened it once.
What a person may see on it is `home_file`'s question; how it looks is the card's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import case, update
from sqlmodel import col

from bot.incident.outward import Intent, IntentKind, IntentState
from bot.store.unit import SPACING, Unit


async def opened(unit: Unit, person: str) -> None:
    """Somebody looks at their Home tab: remember them, and show it."""
    await unit.intend(IntentKind.HOME, _key(person), args={"person": person})
    await refresh(unit, [person])


async def refresh(unit: Unit, people: Iterable[str | None]) -> None:
    """Something on these people's Home tabs changed. Who never opened theirs has none."""
    keys: Collection[str] = {_key(person) for person in people if person}
    if not keys:
        return
    await unit.flush()
    unit.wakes = True
    idle = col(Intent.state).in_([IntentState.DONE, IntentState.GIVEN_UP])
    spaced = col(Intent.not_before).between(unit.now, unit.now + SPACING)
    again = (
        update(Intent)
        .where(col(Intent.kind) == IntentKind.HOME, col(Intent.key).in_(keys))
        .values(
            generation=Intent.generation + 1,
            state=case((idle, IntentState.PENDING), else_=col(Intent.state)),
            attempts=case((idle, 0), else_=col(Intent.attempts)),
            due_at=case((idle & spaced, col(Intent.not_before)), (idle, unit.now), else_=col(Intent.due_at)),
        )
        .execution_options(synchronize_session=False)
    )
    await unit.session.exec(again)


def _key(person: str) -> str:
    return f"home:{person}"
