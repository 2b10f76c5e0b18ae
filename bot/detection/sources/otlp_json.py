"""OTLP in JSON: a request becomes what its spans, or its log records, tell.

Decides how the protocol's JSON is read (OTLP specification, "JSON Protobuf Encoding"): ids in hexadecimal, 64-bit numbers as
text or as numbers, bytes in base64, names in lowerCamelCase, enums as numbers, unknown fields ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from bot.detection.sources.decoded import Malformed
from bot.detection.sources.otlp_told import Told

GARBAGE = "The body is not the JSON that this address takes. Is the exporter's protocol http/json?"
ERROR = 2
"""`Status.code` of a span that failed."""


class _Json(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Unknown fields are ignored."""


class Value(_Json, frozen=True):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: str | int | None = None
    double_value: float | str | None = None
    array_value: Values | None = None
    kvlist_value: Pairs | None = None
    bytes_value: str | None = None


class Values(_Json, frozen=True):
    values: list[Value] | None = None


class Pair(_Json, frozen=True):
    key: str = ""
    value: Value | None = None


class Pairs(_Json, frozen=True):
    values: list[Pair] | None = None


class Resource(_Json, frozen=True):
    attributes: list[Pair] | None = None


class Status(_Json, frozen=True):
    code: int | str | None = None


class SpanEvent(_Json, frozen=True):
    name: str = ""
    time_unix_nano: str | int | None = None
    attributes: list[Pair] | None = None


class Span(_Json, frozen=True):
    name: str = ""
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str | None = None
    start_time_unix_nano: str | int | None = None
    end_time_unix_nano: str | int | None = None
    attributes: list[Pair] | None = None
    events: list[SpanEvent] | None = None
    status: Status | None = None


class Log(_Json, frozen=True):
    event_name: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    time_unix_nano: str | int | None = None
    observed_time_unix_nano: str | int | None = None
    attributes: list[Pair] | None = None
    body: Value | None = None


class ScopeSpans(_Json, frozen=True):
    spans: list[msgspec.Raw] | None = None


class ResourceSpans(_Json, frozen=True):
    resource: Resource | None = None
    scope_spans: list[ScopeSpans] | None = None


class Traces(_Json, frozen=True):
    resource_spans: list[ResourceSpans] | None = None


class ScopeLogs(_Json, frozen=True):
    log_records: list[msgspec.Raw] | None = None


class ResourceLogs(_Json, frozen=True):
    resource: Resource | None = None
    scope_logs: list[ScopeLogs] | None = None


class Logs(_Json, frozen=True):
    resource_logs: list[ResourceLogs] | None = None


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
T = TypeVar("T")


def spans(body: bytes) -> Iterator[Told]:
    """Raises Malformed; where a single span is the reason, after the ones before it were given."""
    for of_resource in _read(body, Traces).resource_spans or ():
        resource = _attributes(of_resource.resource.attributes if of_resource.resource else None)
        for of_scope in of_resource.scope_spans or ():
            for raw in of_scope.spans or ():
                yield _span(_read(raw, Span), resource)


def logs(body: bytes) -> Iterator[Told]:
    """Raises Malformed; where a single record is the reason, after the ones before it were given."""
    for of_resource in _read(body, Logs).resource_logs or ():
        resource = _attributes(of_resource.resource.attributes if of_resource.resource else None)
        for of_scope in of_resource.scope_logs or ():
            for raw in of_scope.log_records or ():
                yield _log(_read(raw, Log), resource)


def _read(raw: bytes | msgspec.Raw, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=shape)
    except UNREADABLE:
        raise Malformed(GARBAGE) from None


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
