"""A folder with a log of seen events, as the watch writes it: events that were made up, and what fired."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from bot.detection.event import Data, Event, Kind, Seen
from bot.watch.frames import FrameKind, framed
from bot.watch.read import Fired
from bot.watch.segments import Segment


def write(folder: Path, *, began: float, seen: Sequence[Seen] = (), fired: Sequence[Fired] = ()) -> None:
    """One segment: the events, then what fired."""
    folder.mkdir(exist_ok=True)
    number = int(began * 1e6)
    payloads = [(FrameKind.SEEN, msgspec.msgpack.encode(list(seen[at : at + 500]))) for at in range(0, len(seen), 500)]
    if fired:
        payloads.append((FrameKind.FINDINGS, msgspec.msgpack.encode(list(fired))))
    data = b"".join(framed(number + place, kind, payload) for place, (kind, payload) in enumerate(payloads))
    Segment.named(folder, number, began).path.write_bytes(data)


def queries(user: str, at: float, count: int, *, app: str = "chat") -> list[Seen]:
    """So many successful queries with different results, a second apart."""
    return [query(user, at + number, f"{user}-{at}-{number}", app=app) for number in range(count)]


def query(user: str | None, at: float, result: str, *, app: str = "chat") -> Seen:
    event = Event(
        kind=Kind.DATA_QUERY, occurred_at=at, event_id=f"id-{result}", app=app, user_id=user,
        data=Data(result_sha256=result, ok=True),
    )  # fmt: skip
    return Seen(event=event, arrived=at)
