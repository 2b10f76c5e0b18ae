"""The picture as a document: made when it is delivered, of what the store says then.

Decides its name, its words and its alternative text. Who asked for it, and where it goes, is the command's.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from bot.incident.columns import Json
from bot.incident.deadlines import BusinessCalendar
from bot.incident.document import Document, Maker
from bot.metrics.drawing import drawn
from bot.metrics.picture import sketch
from bot.metrics.report import report, responding
from bot.metrics.summary import By
from bot.metrics.words import described
from bot.playbook import Playbook
from bot.store import Store

DOCUMENT = "metrics"
"""Its name among the documents that an `UPLOAD` may name."""


class Wanted(BaseModel):
    """What the intent says. Its other arguments are about where the picture goes."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    since: datetime
    until: datetime
    group: By | None = None


def maker(store: Store, playbook: Playbook, calendar: BusinessCalendar, *, speed: float = 1.0) -> Maker:
    turn = asyncio.Lock()  # one process at a time: several on a small machine would all take too long

    async def make(args: Json) -> tuple[Document, ...]:
        """Raises Refused where it cannot be drawn."""
        wanted = Wanted.model_validate(args)
        found = await report(
            store, playbook, calendar, since=wanted.since, until=wanted.until, by=wanted.group, speed=speed
        )
        shown = sketch(found, responding(playbook, calendar, speed=speed))
        async with turn:
            content = await drawn(shown)
        name = f"metrics-{wanted.since:%Y%m%d}-{wanted.until:%Y%m%d}.png"
        return (Document(name, shown.title, content, comment=shown.subtitle, description=described(found)),)

    return make
