"""OTLP in JSON: a request becomes what its spans, or its log records, tell.

Decides how much one that cannot be read spoils: itself, and no other. The shapes are `otlp_shapes`'.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TypeVar

import msgspec

from bot.detection.sources import words
from bot.detection.sources.decoded import Malformed
from bot.detection.sources.otlp_shapes import Log, Logs, Pair, Resource, Span, Traces, Value
from bot.detection.sources.otlp_told import Told

GARBAGE = "The body is not the JSON that this address takes. Is the exporter's protocol http/json?"
ERROR = 2
"""`Status.code` of a span that failed."""
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
DEEPEST = 128
"""Brackets within brackets. A text in a list in an attribute of a span stands in eleven."""
NAMED = 10
"""Names in the path to what is wrong; where it has more, its depth is what is wrong."""
BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
STEP = 10_000
"""Brackets and texts that are looked at in one go."""
MOST_BRACKETS = 2_000_000
"""Of one body that is too deep somewhere: what has more is refused whole, before it keeps a core for seconds."""
Read = Told | str | None
"""What one span or log record tells, why it cannot be read, or None: others may have a turn."""
T = TypeVar("T")
S = TypeVar("S", Span, Log)


def spans(body: bytes) -> Iterator[Read]:
    """One `Read` for each span, in order. Raises Malformed where the body is no request."""
    request = yield from _request(body, Traces)
    for of_resource in request.resource_spans or ():
        resource = _resource(of_resource.resource)
        for of_scope in of_resource.scope_spans or ():
            for raw in of_scope.spans or ():
                yield _one(raw, Span, _span, resource)


def logs(body: bytes) -> Iterator[Read]:
    """One `Read` for each log record, in order. Raises Malformed where the body is no request."""
    request = yield from _request(body, Logs)
    for of_resource in request.resource_logs or ():
        resource = _resource(of_resource.resource)
        for of_scope in of_resource.scope_logs or ():
            for raw in of_scope.log_records or ():
                yield _one(raw, Log, _log, resource)


def _request(body: bytes, shape: type[T]) -> Generator[None, None, T]:
    try:
        return msgspec.json.decode(body, type=shape)
    except RecursionError:
        shallow = yield from _shallow(body)
    except UNREADABLE:
        raise Malformed(GARBAGE) from None
    try:
        return msgspec.json.decode(shallow, type=shape)
    except UNREADABLE:
        raise Malformed(GARBAGE) from None


def _shallow(body: bytes) -> Generator[None, None, bytes]:
    """The body with what is nested too deeply in the place of a text: whatever needs it can no longer be read, the rest can."""
    kept: list[bytes] = []
    start = depth = 0
    for count, found in enumerate(BRACKETS.finditer(body), 1):
        mark = found[0]
        if mark in b"[{":
            depth += 1
            if depth == DEEPEST + 1:
                kept += body[start : found.start()], b'"too deep"'
        elif mark in b"]}":
            depth -= 1
            if depth == DEEPEST:
                start = found.end()
        if count % STEP == 0:
            yield None
        if count > MOST_BRACKETS:
            raise Malformed(GARBAGE)
    return b"".join([*kept, body[start:] if depth <= DEEPEST else b""])


def _resource(raw: msgspec.Raw) -> dict[str, object] | str:
    """Its attributes, or why they cannot be read."""
    try:
        of = msgspec.json.decode(raw, type=Resource | None)
        return _attributes(of.attributes if of else None)
    except UNREADABLE as error:
        return f"its resource cannot be read: {_why(raw, error)}"


def _one(
    raw: msgspec.Raw, shape: type[S], told: Callable[[S, dict[str, object]], Told], resource: dict[str, object] | str
) -> Read:
    if isinstance(resource, str):
        return resource
    try:
        return told(msgspec.json.decode(raw, type=shape), resource)
    except UNREADABLE as error:
        return _why(raw, error)


def _why(raw: msgspec.Raw, error: Exception) -> str:
    said = words.unreadable(bytes(raw), error)
    return said if said.count(".") <= NAMED else words.unreadable(bytes(raw), RecursionError())


def _span(span: Span, resource: dict[str, object]) -> Told:
    return Told(
        name=span.name,
        trace=span.trace_id.lower(),
        span=span.span_id.lower(),
        parent=(span.parent_span_id or "").lower(),
        started=_nanoseconds(span.start_time_unix_nano),
        ended=_nanoseconds(span.end_time_unix_nano),
        failed=span.status is not None and span.status.code in (ERROR, "STATUS_CODE_ERROR"),
        attributes=_attributes(span.attributes),
        resource=resource,
        inner=tuple(
            Told(each.name, started=_nanoseconds(each.time_unix_nano), attributes=_attributes(each.attributes))
            for each in span.events or ()
        ),
    )


def _log(record: Log, resource: dict[str, object]) -> Told:
    at = _nanoseconds(record.time_unix_nano) or _nanoseconds(record.observed_time_unix_nano)
    return Told(
        name=record.event_name or "",
        trace=(record.trace_id or "").lower(),
        span=(record.span_id or "").lower(),
        started=at,
        ended=at,
        attributes=_attributes(record.attributes),
        resource=resource,
        body=_value(record.body),
    )


def _attributes(pairs: Iterable[Pair] | None) -> dict[str, object]:
    return {pair.key: _value(pair.value) for pair in pairs or ()}


def _value(given: Value | None) -> object:
    if given is None:
        return None
    if given.array_value is not None:
        return [_value(each) for each in given.array_value.values or ()]
    if given.kvlist_value is not None:
        return _attributes(given.kvlist_value.values)
    if isinstance(given.int_value, str):
        return int(given.int_value) if _digits(given.int_value.removeprefix("-")) else None
    plain = (given.string_value, given.bool_value, given.int_value, given.double_value, given.bytes_value)
    return next((value for value in plain if value is not None), None)


def _nanoseconds(value: str | int | None) -> int:
    if isinstance(value, str):
        return int(value) if _digits(value) else 0
    return value or 0


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 20
