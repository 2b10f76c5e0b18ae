"""The addresses of events as `firsthour run` serves them, on a real socket, with a taker that keeps what comes.

Decides what a test sees: every event, as the decoders made it, before anything counts it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from bot.detection.event import Event
from bot.ingress import Serving, ingress_app
from bot.store import Store
from tests import opened

TOKEN = "ingest-token-of-the-integration"
WITHIN = 45.0
"""Seconds for an event to arrive: callbacks post in batches."""


class Taken(NamedTuple):
    accepted: int
    duplicates: int


class Inbox:
    def __init__(self) -> None:
        self.events: list[tuple[str, Event]] = []
        """By which route, and what."""
        self.bad = 0

    async def take(self, events: Sequence[Event], *, via: str) -> Taken:
        self.events += [(via, event) for event in events]
        return Taken(len(events), 0)

    def rejected(self, count: int, *, via: str) -> None:
        self.bad += count

    def of(self, via: str, user: str) -> list[Event]:
        return [event for route, event in self.events if route == via and event.user_id == user]

    async def until(self, there: Callable[[], object]) -> None:
        until = time.monotonic() + WITHIN
        while not there():
            assert time.monotonic() < until, f"not within {WITHIN:.0f} s; {len(self.events)} events came"
            await asyncio.sleep(0.05)


async def _ready() -> list[str]:
    return []


@contextlib.asynccontextmanager
async def inbox(home: Path, port: int) -> AsyncIterator[Inbox]:
    store, kept = Store(f"sqlite:///{home / 'inbox.db'}"), Inbox()
    app = ingress_app(opened.context(store), token=TOKEN, source_secrets={}, ready=_ready, taker=kept)
    serving = Serving(app, "127.0.0.1", port)
    await serving.start()
    try:
        yield kept
    finally:
        await serving.stop()
        await store.close()
