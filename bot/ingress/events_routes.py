"""The addresses that events come to: how a body of each is decoded, and what its sender is answered.

Decides the answers: ours names the bad events by index; OTLP's is the one of its specification ("OTLP/HTTP Response"), in the
encoding of the request. What was sent is never said back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
from fastapi import HTTPException
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from bot.detection.sources import litellm, native, otlp
from bot.detection.sources.decoded import Rejected, Slices
from bot.detection.sources.otlp_names import Names
from bot.ingress.events_body import Head

JSON, PROTOBUF = b"application/json", b"application/x-protobuf"
BY_LINE = (b"application/x-ndjson", b"application/ndjson", b"application/jsonl", b"application/x-jsonlines")
NAMED = 1000
"""Bad events that one answer names."""
SAID = 5
"""Errors that an answer to an exporter quotes: it logs them as one line."""


class Outcome(msgspec.Struct, gc=False):
    """Of one delivery."""

    accepted: int = 0
    duplicates: int = 0
    bad: int = 0
    named: list[Rejected] = []
    """The first of the bad ones, at most `NAMED`: a body of eight million brackets must not become as many errors."""

    def reject(self, rejected: list[Rejected]) -> None:
        self.bad += len(rejected)
        if len(self.named) < NAMED:
            self.named += rejected[: NAMED - len(self.named)]


class Answer(msgspec.Struct, frozen=True, gc=False):
    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def head(self) -> list[tuple[bytes, bytes]]:
        return [(b"content-type", self.content_type), (b"content-length", b"%d" % len(self.body)), *self.headers]


@dataclass(frozen=True, slots=True)
class Route:
    source: str
    """`native`, `litellm` or `otlp`."""
    slices: Callable[[bytes, Head, float], Slices]
    taken: Callable[[Outcome, Head], Answer]
    refused: Callable[[HTTPException, Head], Answer]


def routes(names: Names) -> Mapping[str, Route]:
    def traces(body: bytes, head: Head, now: float) -> Slices:
        return otlp.traces(body, now, names, json=_json(head, body))

    def logs(body: bytes, head: Head, now: float) -> Slices:
        return otlp.logs(body, now, names, json=_json(head, body))

    return {
        "/events": Route("native", _native, _taken, _refused),
        "/events/litellm": Route("litellm", _litellm, _taken, _refused),
        "/v1/traces": Route("otlp", traces, _exported(ExportTraceServiceResponse, "rejected_spans"), _not_exported),
        "/v1/logs": Route("otlp", logs, _exported(ExportLogsServiceResponse, "rejected_log_records"), _not_exported),
    }


def _native(body: bytes, head: Head, now: float) -> Slices:
    return native.decode(body, now, by_line=_by_line(head))


def _litellm(body: bytes, head: Head, now: float) -> Slices:
    return litellm.decode(body, now, by_line=_by_line(head))


def _by_line(head: Head) -> bool:
    return head.content_type.startswith(BY_LINE)


def _taken(outcome: Outcome, _: Head) -> Answer:
    if not outcome.bad:
        return Answer(202, b'{"accepted":%d,"duplicates":%d,"rejected":[]}' % (outcome.accepted, outcome.duplicates))
    told = {"accepted": outcome.accepted, "duplicates": outcome.duplicates, "rejected": outcome.named}
    more = outcome.bad - len(outcome.named)
    return Answer(202, msgspec.json.encode(told | ({"rejected_more": more} if more else {})))


def _refused(error: HTTPException, _: Head) -> Answer:
    return Answer(error.status_code, msgspec.json.encode({"error": error.detail}), JSON, _headers(error))


def _json(head: Head, body: bytes) -> bool:
    """By what the sender says; where it says neither, by the first byte, which no protobuf request begins with."""
    if b"json" in head.content_type:
        return True
    return b"protobuf" not in head.content_type and body.lstrip()[:1] == b"{"


def _exported(
    shape: type[ExportTraceServiceResponse | ExportLogsServiceResponse], rejected: str
) -> Callable[[Outcome, Head], Answer]:
    camel = "".join(part.title() if at else part for at, part in enumerate(rejected.split("_")))

    def answer(outcome: Outcome, head: Head) -> Answer:
        count, words = outcome.bad, _quoted(outcome.named)
        if b"json" in head.content_type:
            partial = {"partialSuccess": {camel: str(count), "errorMessage": words}} if count else {}
            return Answer(200, msgspec.json.encode(partial))
        response = shape()
        if count:
            setattr(response.partial_success, rejected, count)
            response.partial_success.error_message = words
        return Answer(200, response.SerializeToString(), PROTOBUF)

    return answer


def _quoted(rejected: list[Rejected]) -> str:
    """The first errors, each once."""
    firsts: dict[str, int] = {}
    for each in rejected:
        firsts.setdefault(each.error, each.index)
    return "; ".join(f"{error} (first: number {index})" for error, index in list(firsts.items())[:SAID])


def _not_exported(error: HTTPException, head: Head) -> Answer:
    """As a `google.rpc.Status`, whose field 2 is the message, as it is of `ExportTracePartialSuccess`: the same bytes."""
    if b"json" in head.content_type:
        return Answer(error.status_code, msgspec.json.encode({"message": error.detail}), JSON, _headers(error))
    status = ExportTracePartialSuccess(error_message=error.detail)
    return Answer(error.status_code, status.SerializeToString(), PROTOBUF, _headers(error))


def _headers(error: HTTPException) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.lower().encode(), value.encode()) for name, value in (error.headers or {}).items())
