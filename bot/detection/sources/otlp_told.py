"""One span or log record of OpenTelemetry, whichever way it was encoded.

Decides the shape that the two encodings are brought to. What it means is `otlp`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Attributes = Mapping[str, object]
"""Values are text, numbers, truth, and lists and objects of them."""


@dataclass(slots=True)
class Told:
    name: str
    """Of a log record or an event of a span: its event name; empty where it has none."""
    trace: str = ""
    """Hexadecimal; empty where there is none."""
    span: str = ""
    parent: str = ""
    started: int = 0
    """Nanoseconds; 0 is unknown. A log record has one time."""
    ended: int = 0
    failed: bool = False
    attributes: Attributes = field(default_factory=dict)
    resource: Attributes = field(default_factory=dict)
    inner: tuple[Told, ...] = ()
    """Events of the span."""
    body: object = None
    """Of a log record."""
    resent: bool = False
    """Of a log record: it was asked by an earlier call (`otlp_context`)."""
