"""The names that OpenTelemetry's GenAI conventions have at the moment, as a table that is handed in: they still change.

Decides which of our fields can be named. The names themselves are data (`playbooks/events/otlp.yaml`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from bot.detection.event import Kind, Outcome, Stage

Field = Literal[
    "user_id", "api_key", "ip", "session_id", "tenant", "app", "endpoint", "environment", "model", "model_version",
    "call_id", "delivered", "input", "output", "tokens", "input_tokens", "output_tokens", "finish_reasons", "tool_name",
    "tool_call_id", "tool_arguments", "tool_result", "tool_authorized", "tool_side_effect", "query", "documents",
    "guardrail_name", "guardrail_outcome", "guardrail_masked", "guardrail_score", "guardrail_categories", "guardrail_stage",
]  # fmt: skip
FIELDS: tuple[str, ...] = get_args(Field)
Carries = Literal["input", "output", "both", "answered", "verdict"]
"""Whose words a log record carries; `answered` is an answer of the past, sent again; `verdict` is what a guardrail said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    kinds: Mapping[str, Mapping[str, Kind]]
    """Attribute → its value → what the span is."""
    marked: Mapping[str, Kind]
    """Attribute → what a span that has it is, whatever its value."""
    events: Mapping[str, Carries]
    """Name of a log record or of an event of a span → what it carries."""
    gateway: tuple[str, ...]
    """Attributes of a gateway that answers the user itself."""
    fields: Mapping[str, tuple[str, ...]]
    """A field of ours → attributes, the first with a value wins. Every one of `FIELDS` is there."""
    flat: Mapping[str, tuple[str, ...]]
    """`input` and `output` → prefixes of attributes that hold one message each."""
    outcomes: Mapping[str, Outcome]
    stages: Mapping[str, Stage]
