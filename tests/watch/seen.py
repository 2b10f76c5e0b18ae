"""Events as the watch sees them, for its tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from bot.detection.event import Data, Event, Kind, Seen
from bot.detection.finding import Finding

NOW = 1_772_442_000.0
"""2026-03-02 09:00:00 UTC."""


def query(number: int, at: float = NOW, **changed: Any) -> Event:
    """A successful data query of mallory's with a result of its own."""
    fields: dict[str, Any] = {
        "kind": Kind.DATA_QUERY,
        "occurred_at": at,
        "event_id": f"e-{number}",
        "source": "shop",
        "app": "shop",
        "user_id": "mallory",
        "data": Data(result_sha256=f"{number:064x}", ok=True),
    }
    return Event(**fields | changed)


def seen(number: int, at: float = NOW, **changed: Any) -> Seen:
    return Seen(event=query(number, at, **changed), arrived=at)


def finding(**changed: Any) -> Finding:
    fields: dict[str, Any] = {
        "trigger": "bulk_data_extraction",
        "subject_kind": "user",
        "subject_id": "mallory",
        "app": "shop",
        "session_id": None,
        "id": "f-1",
        "first": True,
        "started_at": NOW - 1800,
        "completed_at": NOW,
        "counts": {"distinct results": 101.0},
        "window_seconds": 3600.0,
        "event_ids": ("e-100", "e-101"),
    }
    return Finding(**fields | changed)


class AsItIs:
    """A scanner for events without a text."""

    def scan_all(self, events: Sequence[Event], arrived: float) -> list[Seen]:
        return [Seen(event=event, arrived=arrived) for event in events]


async def until(condition: Callable[[], bool], *, within: float = 10.0) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.002)
