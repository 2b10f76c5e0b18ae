"""OTLP in protobuf: a request becomes what its spans, or its log records, tell.

Decides how protobuf's values are read. The library reads the bytes: garbage is refused as a whole, as the protocol has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from bot.detection.sources.decoded import SLICE, Malformed
from bot.detection.sources.otlp_told import Told

GARBAGE = "The body is not the protobuf message that this address takes. Is the exporter's protocol http/protobuf?"
DELIMITED = 2
"""Wire type of a field with a length; all that a request consists of."""


def spans(body: bytes) -> Iterator[Told]:
    """Raises Malformed, perhaps after some were given."""
    for of_resource in _resources(body, ExportTraceServiceRequest, "resource_spans"):
        resource = attributes(of_resource.resource.attributes)
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                yield _span(span, resource)


def logs(body: bytes) -> Iterator[Told]:
    """Raises Malformed, perhaps after some were given."""
    for of_resource in _resources(body, ExportLogsServiceRequest, "resource_logs"):
        resource = attributes(of_resource.resource.attributes)
        for of_scope in of_resource.scope_logs:
            for record in of_scope.log_records:
                yield _log(record, resource)


def _resources(body: bytes, shape: type[Any], name: str) -> Iterator[Any]:
    for piece in pieces_of(body):
        try:
            request = shape.FromString(piece)
        except DecodeError:
            raise Malformed(GARBAGE) from None
        yield from getattr(request, name)


def pieces_of(body: bytes) -> Iterator[bytes]:
    """The message cut between its fields into pieces of at least `SLICE` bytes. Each is a message of the same kind: the bytes of
    two messages in a row are one with the fields of both (protobuf encoding, "Last One Wins"). What is no field stays whole,
    for the library to refuse."""
    start = at = 0
    while at < len(body):
        after = _after_field(body, at)
        if after is None:
            break
        at = after
        if at - start >= SLICE:
            yield body[start:at]
            start = at
    if start < len(body):
        yield body[start:]


def _after_field(body: bytes, at: int) -> int | None:
    """Where the length-delimited field at `at` ends; None where there is none."""
    if body[at] & 7 != DELIMITED or body[at] & 0x80:
        return None
    length = shift = 0
    for place in range(at + 1, min(len(body), at + 11)):
        length |= (body[place] & 0x7F) << shift
        shift += 7
        if not body[place] & 0x80:
            after = place + 1 + length
            return after if after <= len(body) else None
    return None


def attributes(pairs: Iterable[KeyValue]) -> dict[str, object]:
    return {pair.key: value(pair.value) for pair in pairs}


def value(given: AnyValue) -> object:
    kind = given.WhichOneof("value")
    match kind:
        case None:
            return None
        case "array_value":
            return [value(each) for each in given.array_value.values]
        case "kvlist_value":
            return attributes(given.kvlist_value.values)
        case _:
            return getattr(given, kind)


def _span(span: Span, resource: dict[str, object]) -> Told:
    return Told(
        name=span.name,
        trace=span.trace_id.hex(),
        span=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        started=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        attributes=attributes(span.attributes),
        resource=resource,
        inner=tuple(Told(each.name, started=each.time_unix_nano, attributes=attributes(each.attributes))
                    for each in span.events),
    )  # fmt: skip


def _log(record: LogRecord, resource: dict[str, object]) -> Told:
    at = record.time_unix_nano or record.observed_time_unix_nano
    return Told(
        name=record.event_name,
        trace=record.trace_id.hex(),
        span=record.span_id.hex(),
        started=at,
        ended=at,
        attributes=attributes(record.attributes),
        resource=resource,
        body=value(record.body),
    )
