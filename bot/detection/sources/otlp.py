"""Spans and log records of OpenTelemetry's GenAI conventions become events.

Decides what a span means: a model call is the prompt and the answer, a tool's span is the call and its result, a guardrail's is
a verdict. Which attribute holds what is a table that is handed in (`Names`). What is no GenAI span is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from bot.detection.event import Event
from bot.detection.sources import otlp_json, otlp_proto, times
from bot.detection.sources.decoded import Decoded, Rejected, Slices
from bot.detection.sources.native import MOST_BAD
from bot.detection.sources.otlp_context import Context
from bot.detection.sources.otlp_json import Read
from bot.detection.sources.otlp_logs import of_log
from bot.detection.sources.otlp_names import Names
from bot.detection.sources.otlp_spans import of_span
from bot.detection.sources.otlp_told import Told

EACH: Final = 50
"""Spans in one slice: a span with its messages is some ten kilobytes."""
Meaning = Callable[[Told, Context, Names], Iterable[Event]]


def traces(body: bytes, now: float, names: Names, *, json: bool = False) -> Slices:
    """Raises Malformed where the body is no request of spans."""
    yield from _decoded(otlp_json.spans(body) if json else otlp_proto.spans(body), now, names, of_span)


def logs(body: bytes, now: float, names: Names, *, json: bool = False) -> Slices:
    """Raises Malformed where the body is no request of log records."""
    yield from _decoded(otlp_json.logs(body) if json else otlp_proto.logs(body), now, names, of_log)


def _decoded(read: Iterable[Read], now: float, names: Names, meaning: Meaning) -> Slices:
    """In two passes: a guardrail's span does not say whose call it judged, the span beside it does, and may come later."""
    context = Context()
    kept: list[tuple[int, Told]] = []
    bad: list[Rejected] = []
    index = 0
    for turn, each in enumerate(read):
        if isinstance(each, Told) and context.learn(each, names):
            kept.append((index, each))
        elif isinstance(each, str):
            bad.append(Rejected(index, each))
        index += each is not None
        if turn % EACH == 0:
            yield Decoded()
        if len(bad) >= MOST_BAD:
            bad.append(Rejected(index, f"from here on nothing was read: {MOST_BAD:,} before it were bad"))
            break
    if bad:
        yield Decoded(rejected=bad)
    for start in range(0, len(kept), EACH):
        decoded = Decoded()
        for index, each in kept[start : start + EACH]:
            _one(decoded, index, list(meaning(each, context, names)), now)
        yield decoded


def _one(decoded: Decoded, index: int, events: list[Event], now: float) -> None:
    said = next((said for event in events if (said := times.wrong(event.at, now)) is not None), None)
    if said is None:
        decoded.events.extend(events)
    else:
        decoded.rejected.append(Rejected(index, f"its time {said}" if events[0].at else "it has no time; send one"))
