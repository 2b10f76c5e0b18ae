"""What Slack tells us that nobody asks an answer for: events, heard by the feature that named their type.

Decides that an event counts once, that one nobody hears is no error, and that nothing in here is lost silently. It was
acknowledged before it comes here. One part of the edge, and as it may catch everything.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar

import structlog

from bot.incident.errors import FirsthourError, Repeated
from bot.slack.feature import Feature, Heard, Hears
from bot.store import Store, queries

log = structlog.get_logger()
C = TypeVar("C")


class Hearing(Generic[C]):
    def __init__(self, hears: Mapping[str, tuple[Feature[C], Hears[C]]], ctx: C, store: Store) -> None:
        self._hears: Mapping[str, tuple[Feature[Any], Hears[C]]] = hears
        self._ctx, self._store = ctx, store

    async def hear(self, heard: Heard, turn: asyncio.Semaphore) -> None:
        found = self._hears.get(heard.type)
        if found is None:
            return
        try:
            async with turn:
                await found[1](self._ctx, await self._placed(heard))
        except Repeated:
            pass
        except FirsthourError as refused:
            log.info("edge.event_refused", key=heard.key, type=heard.type, why=type(refused).__name__)
        except Exception:
            log.exception("edge.event_failed", ref=secrets.token_hex(3), key=heard.key, type=heard.type)

    async def _placed(self, heard: Heard) -> Heard:
        """With the incident whose room it happened in."""
        if heard.channel is None:
            return heard
        async with self._store.read() as session:
            room = await queries.in_channel(session, heard.channel)
        return replace(heard, incident=room.number if room is not None else None)
