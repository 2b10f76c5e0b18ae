"""What a picture of metrics shows, in plain values: made by `picture`, drawn by `draw` in a process of its own.

Decides the shape that travels between the two. Imports nothing, so that the process that draws starts quickly.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

FEW = 5
"""Below so many values a median says little: each value is drawn instead."""


@dataclass(frozen=True)
class Point:
    """One group on the horizontal axis."""

    n: int
    p50: float | None = None
    p90: float | None = None
    values: tuple[float, ...] = ()
    """All of them where there are few; otherwise empty."""
    target: float | None = None
    """Where every incident of this group has the same target."""


@dataclass(frozen=True)
class Panel:
    title: str
    note: str
    """What is counted beside the values: unknown, running, targets met."""
    kind: Literal["count", "seconds", "share"]
    points: tuple[Point, ...]
    target: float | None = None
    """A line across all groups."""
    target_label: str = ""


@dataclass(frozen=True)
class Sketch:
    title: str
    subtitle: str
    legend: str
    labels: tuple[str, ...]
    """Of the groups."""
    timeline: bool
    """True where the groups follow each other in time: neighbours may be joined."""
    panels: tuple[Panel, ...]


def pack(sketch: Sketch) -> bytes:
    return json.dumps(asdict(sketch)).encode()


def unpack(packed: bytes) -> Sketch:
    read: dict[str, Any] = json.loads(packed)
    panels = tuple(
        Panel(**{**panel, "points": tuple(Point(**{**p, "values": tuple(p["values"])}) for p in panel["points"])})
        for panel in read["panels"]
    )
    return Sketch(**{**read, "labels": tuple(read["labels"]), "panels": panels})
