"""Forget what is shown of an incident, so that all of it is rendered and sent again.

Decides nothing about Slack: whichever process runs finds the intents due and carries them out.
"""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import update
from sqlmodel import col, select

from bot.incident.outward import Intent, IntentKind, IntentState, Surface
from bot.store.unit import Unit, rearm


async def resync(unit: Unit, number: int) -> int:
    """How many surfaces will be shown anew. Raises NotFound. Safe while the bot runs, here or elsewhere."""
    incident = await unit.incident(number)
    surfaces = (await unit.session.exec(select(Surface).where(Surface.incident == number))).all()
    for surface in surfaces:
        surface.digest = f"forgotten:{uuid4().hex}"  # unique, so that an attempt in hand sees that it was asked anew
        await unit.show(incident, surface.kind, surface.part)
    await unit.flush()
    mine = col(Intent.incident) == number
    await unit.session.exec(rearm(unit.now, mine))
    waiting = (col(Intent.kind) == IntentKind.SHOW) & (col(Intent.state) == IntentState.PENDING)
    await unit.session.exec(update(Intent).where(mine, waiting).values(due_at=unit.now, attempts=0))
    unit.wakes = True
    return len(surfaces)
