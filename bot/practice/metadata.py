"""Message metadata: what Slack accepts in ``metadata`` of a message."""

from __future__ import annotations

import json
from typing import Any

from bot.practice.shapes import Json, SlackError

MOST_BYTES = 16_000  # Slack publishes no number; ids only keep far below this
FLAT = str | int | float | bool | None


def check(value: Any) -> Json | None:
    """The metadata as kept; None where it is absent or empty. Raises ``SlackError``."""
    if value is None or value == {}:
        return None
    if not isinstance(value, dict):
        raise SlackError("invalid_metadata_format")
    kind, payload = value.get("event_type"), value.get("event_payload")
    if not isinstance(kind, str) or not kind or not isinstance(payload, dict):
        raise SlackError("invalid_metadata_format")
    if not all(_allowed(one) for one in payload.values()):
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(value).encode()) > MOST_BYTES:
        raise SlackError("metadata_too_large")
    return {"event_type": kind, "event_payload": payload}


def _allowed(value: Any) -> bool:
    """Flat values, one object of flat values, or a list of either."""
    if isinstance(value, list):
        return all(isinstance(one, FLAT) or _flat_object(one) for one in value)
    return isinstance(value, FLAT) or _flat_object(value)


def _flat_object(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, FLAT) for one in value.values())
