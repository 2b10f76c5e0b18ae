"""The outside considers an alert over (Alertmanager's `resolved`): a note in the open incident, and nothing more.

Decides that it never closes anything: an attack that stopped firing is not contained.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlmodel import select

from bot.cases.context import Context
from bot.incident.errors import Repeated
from bot.incident.incident import Actor, Alert
from bot.incident.timeline import Happened
from bot.incident.words import ActorKind


class Noted(BaseModel):
    """What the sender is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    incident: str
    status: Literal["noted", "repeated"]


async def outside_over(ctx: Context, source: str, external_id: str) -> Noted | None:
    """Note it once in the incident that this very alert belongs to. None where there is no such incident still running."""
    async with ctx.store.read() as session:
        number = (await session.exec(select(Alert.incident).where(*_same(source, external_id)))).first()
    if number is None:
        return None
    try:
        async with ctx.store.unit(inbound=_key(source, external_id)) as unit:
            incident = await unit.incident(number)
            if incident.ended_at is not None:
                return None
            text = f"{source} considers the alert over. That does not end the incident."
            unit.record(incident, Happened.NOTE, Actor(kind=ActorKind.ALERT, id=source), text=text)
            unit.answer(incident.name)
            return Noted(incident=incident.name, status="noted")
    except Repeated as first:
        return Noted(incident=first.answer, status="repeated") if first.answer else None


def _same(source: str, external_id: str) -> tuple[Any, ...]:
    return Alert.source == source, Alert.external_id == external_id


def _key(source: str, external_id: str) -> str:
    return f"over:{source}:{hashlib.sha256(external_id.encode()).hexdigest()}"
