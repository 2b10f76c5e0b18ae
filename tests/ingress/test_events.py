from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NamedTuple

import httpx
import pytest
import zstandard
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from bot.detection.event import Event
from bot.incident.errors import Busy
from bot.ingress import events_body
from bot.watch.recent import Recent
from bot.watch.states import identity
from tests.conftest import START
from tests.ingress.conftest import Build, Connect

MIB = 1024 * 1024
NOW = START.timestamp()


class Taken(NamedTuple):
    accepted: int
    duplicates: int


class Kept:
    """Takes events and keeps them, each once."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.batches: list[int] = []
        self.bad: dict[str, int] = {}
        self.busy = False
        self._recent = Recent(10_000)

    async def take(self, events: Sequence[Event], *, via: str) -> Taken:
        if self.busy:
            raise Busy
        new = [event for event in events if (name := identity(event)) is None or self._recent.add(name)]
        self.events += new
        self.batches.append(len(events))
        return Taken(len(new), len(events) - len(new))

    def rejected(self, count: int, *, via: str) -> None:
        self.bad[via] = self.bad.get(via, 0) + count


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
async def client(
    build: Build, connect: Connect, kept: Kept, bearer: dict[str, str]
) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(build(taker=kept)) as opened:
        opened.headers.update(bearer)
        yield opened


def event(**fields: object) -> dict[str, Any]:
    return {"kind": "data_query", "occurred_at": NOW, "user_id": "mallory", **fields}


async def test_a_batch_is_taken_each_event_once_and_bad_ones_are_named(client: httpx.AsyncClient, kept: Kept) -> None:
    batch = [event(source_event_id="1"), event(source_event_id="1"), event(usr_id="x"), event()]
    response = await client.post("/events", json=batch)
    assert response.status_code == 202
    assert response.json() == {
        "accepted": 2,
        "duplicates": 1,
        "rejected": [{"index": 2, "error": "`usr_id` is not a field; did you mean `user_id`?"}],
    }
    assert kept.bad == {"native": 1}
    again = await client.post("/events", content=json.dumps(event(source_event_id="1")))
    assert again.json() == {"accepted": 0, "duplicates": 1, "rejected": []}


async def test_lines_are_lines_where_the_sender_says_so(client: httpx.AsyncClient) -> None:
    lines = f"hello\n{json.dumps(event())}\n"
    response = await client.post(
        "/events", content=lines, headers={"content-type": "application/x-ndjson; charset=utf-8"}
    )
    assert response.json()["accepted"] == 1 and response.json()["rejected"][0]["index"] == 0


async def test_a_batch_that_is_all_bad_is_still_answered_index_by_index(client: httpx.AsyncClient, kept: Kept) -> None:
    response = await client.post("/events", json=[{}] * 1500)
    answer = response.json()
    assert (response.status_code, answer["accepted"], len(answer["rejected"])) == (202, 0, 1000)
    assert answer["rejected_more"] == 500 and kept.bad == {"native": 1500}


TWO_ARRAYS = f"[{json.dumps({'kind': 'alert', 'occurred_at': NOW})}]\n[{{}}]".encode()


@pytest.mark.parametrize("body", [b"", b"hello", b'{"kind"', b"[" * (8 * MIB), b"[] []", TWO_ARRAYS])
async def test_what_is_no_json_is_refused_in_words(client: httpx.AsyncClient, body: bytes) -> None:
    response = await client.post("/events", content=body)
    assert response.status_code == 400 and response.json()["error"].startswith("The body ")


GZIP, ZSTD = gzip.compress, zstandard.ZstdCompressor().compress


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", GZIP), ("zstd", ZSTD), ("identity", bytes)])
async def test_packed_bodies_are_unpacked(
    client: httpx.AsyncClient, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    first, second = (json.dumps(event()).encode() + b"\n" for _ in range(2))
    packed = pack(first) + pack(second)  # both formats may hold several members
    response = await client.post("/events", content=packed, headers={"content-encoding": encoding})
    assert response.json()["accepted"] == 2


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("br", b"[]", 415),
        ("gzip", b"[]", 400),
        ("zstd", b"[]", 400),
        ("gzip", gzip.compress(b"[" + b" " * 100_000 + b"]")[:-20], 400),
        ("zstd", ZSTD(b"[]") + ZSTD(b" " * 100_000)[:-5], 400),
    ],
)
async def test_what_is_not_packed_as_it_says_is_refused(
    client: httpx.AsyncClient, encoding: str, body: bytes, status: int
) -> None:
    response = await client.post("/events", content=body, headers={"content-encoding": encoding})
    assert response.status_code == status, response.text


def gzip_bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(256)), packer.flush()])


@pytest.mark.parametrize(("encoding", "bomb"), [("gzip", gzip_bomb()), ("zstd", ZSTD(bytes(256 * MIB)))])
async def test_a_bomb_is_given_up_at_64_mib(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, encoding: str, bomb: bytes
) -> None:
    unpacked = 0
    steps = events_body.UNPACKS[encoding.encode()]

    def counted(packed: bytes) -> Any:
        nonlocal unpacked
        for part in steps(packed):
            assert len(part) <= events_body.STEP
            unpacked += len(part)
            yield part

    monkeypatch.setattr(events_body, "UNPACKS", {encoding.encode(): counted})
    response = await client.post("/events", content=bomb, headers={"content-encoding": encoding})
    assert response.status_code == 413 and "64 MiB once unpacked" in response.json()["error"]
    assert unpacked <= events_body.UNPACKED + events_body.STEP, "it went on unpacking"


async def chunks(total: int) -> AsyncIterator[bytes]:
    for _ in range(total // MIB):
        yield b" " * MIB


async def test_a_body_may_be_eight_mebibytes_here_and_one_elsewhere(client: httpx.AsyncClient, kept: Kept) -> None:
    padded = json.dumps([event()]).encode().ljust(8 * MIB)
    assert (await client.post("/events", content=padded)).json()["accepted"] == 1
    for body in (padded + b" ", chunks(9 * MIB)):
        response = await client.post("/events", content=body)
        assert response.status_code == 413 and "8 MiB" in response.json()["error"]
    assert (await client.post("/alerts", content=padded)).status_code == 413


async def test_without_the_token_nothing_is_read(build: Build, connect: Connect, kept: Kept) -> None:
    async with connect(build(taker=kept)) as stranger:
        for path in ("/events", "/events/litellm", "/v1/traces", "/v1/logs"):
            for header in ({}, {"authorization": "Bearer wrong"}, {"authorization": "let-me-in"}):
                assert (await stranger.post(path, json=[event()], headers=header)).status_code == 401
    async with connect(build(taker=kept, token=None)) as unset:
        response = await unset.post("/events", json=[event()])
        assert response.status_code == 503 and "FIRSTHOUR_INGEST_TOKEN" in response.json()["error"]
    assert kept.events == []


async def test_where_detection_does_not_run_the_routes_say_so(
    build: Build, connect: Connect, bearer: dict[str, str]
) -> None:
    async with connect(build()) as opened:
        response = await opened.post("/events", json=[event()], headers=bearer)
    assert response.status_code == 503 and "detection is not running" in response.json()["error"]


async def test_a_taker_that_is_busy_is_told_to_the_sender(client: httpx.AsyncClient, kept: Kept) -> None:
    kept.busy = True
    response = await client.post("/events", json=[event()])
    assert response.status_code == 503 and response.headers["retry-after"]


async def test_other_methods_are_refused_and_the_rest_of_the_application_is_there(client: httpx.AsyncClient) -> None:
    response = await client.get("/events")
    assert response.status_code == 405 and response.headers["allow"] == "POST"
    assert (await client.get("/healthz")).status_code == 200


async def test_a_large_batch_leaves_turns_to_others(client: httpx.AsyncClient, kept: Kept) -> None:
    """A small batch that comes while a large one is taken is answered before the large one is."""
    lines = "\n".join(json.dumps(event(source_event_id=str(n))) for n in range(20_000))
    large = asyncio.create_task(client.post("/events", content=lines))
    async with asyncio.timeout(30):
        while not kept.batches:
            await asyncio.sleep(0)
    small = await client.post("/events", json=[event(source_event_id="small")])
    assert small.json()["accepted"] == 1 and not large.done()
    assert (await large).json()["accepted"] == 20_000
    assert max(kept.batches) <= 1000


async def test_litellms_callback_posts_to_a_route_of_its_own(client: httpx.AsyncClient, kept: Kept) -> None:
    call = {
        "litellm_call_id": "c-1", "status": "success", "startTime": NOW, "end_user": "", "metadata": {},
        "messages": [{"role": "user", "content": "hi"}], "response": {"choices": [{"message": {"content": "ho"}}]},
    }  # fmt: skip
    response = await client.post("/events/litellm", json=[call, None])
    assert response.status_code == 202
    assert response.json()["accepted"] == 2 and response.json()["rejected"][0]["index"] == 1
    assert [each.text for each in kept.events] == ["hi", "ho"] and kept.bad == {"litellm": 1}


def request(*starts: float) -> ExportTraceServiceRequest:
    made = ExportTraceServiceRequest()
    scope = made.resource_spans.add().scope_spans.add()
    for number, start in enumerate(starts):
        span = scope.spans.add(trace_id=bytes(16), span_id=bytes([number] * 8), start_time_unix_nano=int(start * 1e9))
        span.attributes.add(key="gen_ai.operation.name").value.string_value = "chat"
    return made


PROTOBUF = {"content-type": "application/x-protobuf"}


async def test_spans_are_answered_as_the_protocol_says(client: httpx.AsyncClient, kept: Kept) -> None:
    body = request(NOW).SerializeToString()
    response = await client.post(
        "/v1/traces", content=gzip.compress(body), headers=PROTOBUF | {"content-encoding": "gzip"}
    )
    assert (response.status_code, response.headers["content-type"], response.content) == (
        200,
        "application/x-protobuf",
        b"",
    )
    assert [each.kind.value for each in kept.events] == ["llm_call", "llm_call"]
    response = await client.post(
        "/v1/traces", content=b'{"resourceSpans":[]}', headers={"content-type": "application/json"}
    )
    assert (response.status_code, response.json()) == (200, {})
    response = await client.post("/v1/logs", content=b"", headers=PROTOBUF)
    assert (response.status_code, ExportLogsServiceResponse.FromString(response.content)) == (
        200,
        ExportLogsServiceResponse(),
    )


async def test_bad_spans_are_a_partial_success(client: httpx.AsyncClient, kept: Kept) -> None:
    body = request(NOW, 5.0, 5.0)
    response = await client.post("/v1/traces", content=body.SerializeToString(), headers=PROTOBUF)
    partial = ExportTraceServiceResponse.FromString(response.content).partial_success
    assert (response.status_code, partial.rejected_spans) == (200, 2)
    assert partial.error_message == "its time is more than 7 days ago; only the last week is taken (first: number 1)"
    spans = [{"attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}]}]
    as_json = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
    response = await client.post("/v1/traces", json=as_json)
    assert response.json()["partialSuccess"]["rejectedSpans"] == "1"
    assert kept.bad == {"otlp": 3}


async def test_one_malformed_span_or_log_record_is_a_partial_success_and_the_others_are_taken(
    client: httpx.AsyncClient, kept: Kept
) -> None:
    marked = [{"key": "gen_ai.operation.name", "value": {"stringValue": "retrieval"}}]
    good = {"spanId": "a", "startTimeUnixNano": str(int(NOW * 1e9)), "attributes": marked}
    spans = {"resourceSpans": [{"scopeSpans": [{"spans": [good, good | {"name": 5}, good | {"spanId": "b"}]}]}]}
    response = await client.post("/v1/traces", json=spans)
    assert (response.status_code, response.json()) == (
        200, {"partialSuccess": {"rejectedSpans": "1", "errorMessage": "`name` must be text (first: number 1)"}},
    )  # fmt: skip
    assert len(kept.events) == 2
    records = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{}, {"attributes": [{"key": 1}]}]}]}]}
    partial = (await client.post("/v1/logs", json=records)).json()["partialSuccess"]
    assert partial["rejectedLogRecords"] == "1" and kept.bad == {"otlp": 2}


async def test_an_exporter_is_refused_in_its_own_encoding(client: httpx.AsyncClient) -> None:
    """As `google.rpc.Status`, whose second field is the message."""
    response = await client.post("/v1/traces", content=b"\xff\xff", headers=PROTOBUF)
    assert response.status_code == 400
    assert "http/protobuf" in ExportTracePartialSuccess.FromString(response.content).error_message
    response = await client.post("/v1/logs", content=b"[", headers={"content-type": "application/json"})
    assert response.status_code == 400 and "http/json" in response.json()["message"]
    stranger = await client.post("/v1/traces", content=b"", headers=PROTOBUF | {"authorization": ""})
    assert stranger.status_code == 401 and stranger.headers["content-type"] == "application/x-protobuf"


async def test_the_openapi_document_tells_of_events(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    for path in ("/events", "/events/litellm", "/v1/traces", "/v1/logs"):
        assert document["paths"][path]["post"]["requestBody"]["required"]
    assert document["components"]["schemas"]["Event"]["required"] == ["kind", "occurred_at"]
    assert (await client.get("/openapi.json")).json() == document
