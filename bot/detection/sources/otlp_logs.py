"""One log record as events: GenAI content that is emitted as events beside the spans.

Decides which records count: those whose event name the table knows. Whose call it was is known where the record, or a span of
the same request, says it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bot.detection.event import Event, Kind, Stage
from bot.detection.sources import messages, turns
from bot.detection.sources.fields import name
from bot.detection.sources.otlp_context import Context, event_name
from bot.detection.sources.otlp_names import Names
from bot.detection.sources.otlp_spans import carried_by, common, spoken, started, verdict
from bot.detection.sources.otlp_told import Told


def of_log(told: Told, context: Context, names: Names) -> Iterator[Event]:
    carries = names.events.get(event_name(told))
    if carries is None:
        return
    if carries == "verdict":
        yield from verdict(replace(told, name=event_name(told)), context, names)
        return
    shared = common(told, context, names) | {"kind": Kind.LLM_CALL, "delivered": context.delivered(told, names)}
    read, identity = spoken if carries == "both" else carried_by, _identity(told, context)
    if carries in ("input", "both"):
        yield from _asked(told, turns.turns(read(told, "input", names)), identity, shared)
    if carries in ("output", "both") and (said := messages.answer(read(told, "output", names))) is not None:
        at = identity and f"{identity}:output"
        yield Event(occurred_at=started(told), stage=Stage.OUTPUT, text=said, source_event_id=at, **shared)


def _asked(told: Told, asked: turns.Turns, identity: str | None, shared: dict[str, Any]) -> Iterator[Event]:
    new, earlier = (None, asked.new) if told.resent else asked
    if earlier is not None:
        yield turns.resent(earlier, started(told), identity and f"{identity}:earlier", shared)
    if new is not None:
        at = identity and f"{identity}:input"
        yield Event(occurred_at=started(told), stage=Stage.INPUT, text=new, source_event_id=at, **shared)


def _identity(told: Told, context: Context) -> str | None:
    """The same in every redelivery, also of several that one instant of one span tells."""
    if not told.span:
        return None
    nth = context.nth(told)
    return name(
        f"{told.trace}:{told.span}:{told.started}:{nth}" if nth else f"{told.trace}:{told.span}:{told.started}", 290
    )
