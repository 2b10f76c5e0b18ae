"""One log record as events: GenAI content that is emitted as events beside the spans.

Decides which records count: those whose event name the table knows. Whose call it was is known where the record, or a span of
the same request, says it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.detection.event import Event, Kind, Stage
from bot.detection.sources import messages
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
    for side, stage in (("input", Stage.INPUT), ("output", Stage.OUTPUT)):
        if carries not in (side, "both"):
            continue
        said = spoken(told, side, names) if carries == "both" else carried_by(told, side, names)
        words = messages.prompt(said) if stage is Stage.INPUT else messages.answer(said)
        if words is not None:
            yield Event(
                kind=Kind.LLM_CALL, occurred_at=started(told), stage=stage, text=words, delivered=context.delivered(told, names),
                source_event_id=name(f"{told.trace}:{told.span}:{told.started}:{side}") if told.span else None,
                **common(told, context, names),
            )  # fmt: skip
