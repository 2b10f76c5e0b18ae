"""The messages of OTLP in JSON, as far as they are read.

Decides names and types (OTLP specification, "JSON Protobuf Encoding"): lowerCamelCase, ids in hexadecimal, 64-bit numbers as text
or as numbers, bytes in base64, enums as numbers, unknown fields ignored. What may be wrong by itself stays raw: a span, a log
record, a resource.
"""

from __future__ import annotations

import msgspec


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
    resource: msgspec.Raw = msgspec.Raw(b"null")
    scope_spans: list[ScopeSpans] | None = None


class Traces(_Json, frozen=True):
    resource_spans: list[ResourceSpans] | None = None


class ScopeLogs(_Json, frozen=True):
    log_records: list[msgspec.Raw] | None = None


class ResourceLogs(_Json, frozen=True):
    resource: msgspec.Raw = msgspec.Raw(b"null")
    scope_logs: list[ScopeLogs] | None = None


class Logs(_Json, frozen=True):
    resource_logs: list[ResourceLogs] | None = None
