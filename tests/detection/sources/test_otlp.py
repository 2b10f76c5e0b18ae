from __future__ import annotations

import json
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from bot.detection.event import Event, Kind, Outcome, Stage, UserKind
from bot.detection.sources import otlp
from bot.detection.sources.decoded import SLICE, Decoded, Malformed
from bot.detection.sources.otlp_proto import pieces_of
from bot.playbook.events import OtlpFile
from bot.playbook.load import DEFAULT_PATH
from bot.playbook.read import Folder
from tests.detection.sources.test_native import NOW

TRACE, CALL_SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
START = int((NOW - 10) * 1e9)
CHAT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-x",
    "gen_ai.conversation.id": "s-1",
    "user.id": "mallory",
    "gen_ai.input.messages": json.dumps(
        [
            {"role": "system", "parts": [{"type": "text", "content": "be nice"}]},
            {"role": "user", "parts": [{"type": "text", "content": "hello"}]},
        ]
    ),
    "gen_ai.output.messages": json.dumps(
        [{"role": "assistant", "parts": [{"type": "text", "content": "hi there"}], "finish_reason": "stop"}]
    ),
    "gen_ai.usage.input_tokens": 3,
    "gen_ai.usage.output_tokens": 4,
}
GUARDRAIL: dict[str, Any] = {
    "openinference.span.kind": "GUARDRAIL",
    "guardrail_name": "content-filter",
    "guardrail_mode": "['pre_call', 'post_call']",
    "guardrail_status": "guardrail_intervened",
}


def names() -> Any:
    part = Folder(DEFAULT_PATH).one("events/otlp.yaml", OtlpFile)
    assert part is not None
    return part.model.names


def span(attributes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    made = {
        "traceId": TRACE, "spanId": CALL_SPAN, "name": "chat gpt-x", "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + 2 * 10**9), "attributes": pairs(attributes), "status": {},
    }  # fmt: skip
    return made | fields


def pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value(each)} for key, each in attributes.items()]


def value(given: Any) -> dict[str, Any]:
    match given:
        case bool():
            return {"boolValue": given}
        case int():
            return {"intValue": str(given)}
        case float():
            return {"doubleValue": given}
        case list():
            return {"arrayValue": {"values": [value(each) for each in given]}}
        case dict():
            return {"kvlistValue": {"values": pairs(given)}}
        case _:
            return {"stringValue": given}


def as_json(*spans: dict[str, Any], resource: dict[str, Any] | None = None) -> bytes:
    scope = {
        "scopeSpans": [{"spans": list(spans)}],
        "resource": {"attributes": pairs(resource or {})},
        "new": {"a": [1]},
    }
    return json.dumps({"resourceSpans": [scope]}).encode()


def as_protobuf(*spans: dict[str, Any], resource: dict[str, Any] | None = None) -> bytes:
    """The same spans as the SDKs and the Collector send them."""
    request = ExportTraceServiceRequest()
    of_resource = request.resource_spans.add()
    of_resource.resource.attributes.extend(keyed(pairs(resource or {})))
    for given in spans:
        made = of_resource.scope_spans.add().spans.add(
            trace_id=bytes.fromhex(given["traceId"]), span_id=bytes.fromhex(given["spanId"]), name=given["name"],
            parent_span_id=bytes.fromhex(given.get("parentSpanId", "")),
            start_time_unix_nano=int(given["startTimeUnixNano"]), end_time_unix_nano=int(given["endTimeUnixNano"]),
            attributes=keyed(given["attributes"]),
        )  # fmt: skip
        made.status.code = given["status"].get("code", 0)
        for event in given.get("events", ()):
            made.events.add(name=event["name"], attributes=keyed(event["attributes"]))
    return request.SerializeToString()


def keyed(given: list[dict[str, Any]]) -> list[KeyValue]:
    return [KeyValue(key=pair["key"], value=any_value(pair["value"])) for pair in given]


def any_value(given: dict[str, Any]) -> AnyValue:
    ((kind, inner),) = given.items()
    made = AnyValue()
    match kind:
        case "arrayValue":
            made.array_value.values.extend(any_value(each) for each in inner["values"])
        case "kvlistValue":
            made.kvlist_value.values.extend(keyed(inner["values"]))
        case "intValue":
            made.int_value = int(inner)
        case "boolValue":
            made.bool_value = inner
        case "doubleValue":
            made.double_value = inner
        case _:
            made.string_value = inner
    return made


def whole(slices: Any) -> Decoded:
    parts = list(slices)
    return Decoded([e for part in parts for e in part.events], [r for part in parts for r in part.rejected])


def events(*spans: dict[str, Any], resource: dict[str, Any] | None = None) -> list[Event]:
    """Of both encodings, which say the same."""
    found = whole(otlp.traces(as_json(*spans, resource=resource), NOW, names(), json=True))
    packed = whole(otlp.traces(as_protobuf(*spans, resource=resource), NOW, names()))
    assert found == packed
    assert found.rejected == []
    return found.events


def test_a_model_calls_span_is_the_prompt_and_the_answer() -> None:
    resource = {"service.name": "shop", "deployment.environment.name": "production"}
    prompt, answer = events(span(CHAT), resource=resource)
    assert (prompt.stage, prompt.text, prompt.at) == (Stage.INPUT, "hello", START / 1e9)
    assert (answer.stage, answer.text, answer.at) == (Stage.OUTPUT, "hi there", START / 1e9 + 2)
    assert (answer.user_id, answer.session_id, answer.app, answer.environment) == (
        "mallory",
        "s-1",
        "shop",
        "production",
    )
    assert (answer.tokens, answer.latency_ms, answer.model, answer.refused) == (7, 2000.0, "gpt-x", False)
    assert answer.delivered is None, "a span of an application does not say whether its answer reached anybody"
    assert prompt.source_event_id == f"{TRACE}:{CALL_SPAN}:input"


def test_the_gateway_that_answers_the_user_says_by_its_success_that_the_answer_was_delivered() -> None:
    assert events(span(CHAT | {"litellm.call_id": "c-1"}))[1].delivered is True
    (failed,) = events(span({**CHAT, "litellm.call_id": "c-1", "gen_ai.output.messages": ""}, status={"code": 2}))
    assert failed.delivered is None
    assert events(span(CHAT | {"firsthour.delivered": True}))[1].delivered is True


def test_spans_of_anything_else_are_left_alone() -> None:
    assert events(span({"http.request.method": "POST"}), span({"gen_ai.operation.name": "embeddings"})) == []


def test_a_tools_span_is_a_call_and_its_result() -> None:
    tool = {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "transfer", "gen_ai.tool.call.id": "t-1",
        "gen_ai.tool.call.arguments": '{"amount": 9999}', "gen_ai.tool.call.result": '{"ok": true}',
        "firsthour.tool.authorized": False, "firsthour.tool.side_effect": True,
    }  # fmt: skip
    call, result = events(span(tool))
    assert call.kind is Kind.TOOL_CALL and call.tool is not None
    assert (call.tool.completed, call.tool.authorized, call.tool.side_effect) == (True, False, True)
    assert result.kind is Kind.TOOL_RESULT and result.data is not None
    assert result.data.ok is True and result.data.result_sha256
    (failed,) = events(span({k: v for k, v in tool.items() if "result" not in k}, status={"code": 2}))
    assert failed.tool is not None and failed.tool.completed is False


def test_a_retrieval_is_known_by_what_it_found() -> None:
    documents = json.dumps([{"id": "a"}, {"id": "b"}])
    asked = {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.retrieval.query.text": "q",
        "gen_ai.retrieval.documents": documents,
    }
    (found,) = events(span(asked))
    assert found.kind is Kind.RETRIEVAL and found.data is not None and found.data.rows == 2


def test_a_guardrails_span_takes_the_user_of_the_call_beside_it_even_where_that_comes_later() -> None:
    beside = span(GUARDRAIL, spanId="aaaaaaaaaaaaaaaa", name="guardrail", parentSpanId=CALL_SPAN)
    verdict, *_ = events(beside, span(CHAT | {"litellm.call_id": "c-1"}, status={"code": 2}))
    assert verdict.kind is Kind.GUARDRAIL
    assert (verdict.user_id, verdict.call_id, verdict.session_id) == ("mallory", "c-1", "s-1")
    assert [(v.guardrail, v.outcome) for v in verdict.verdicts] == [("content-filter", Outcome.BLOCK)]


def test_a_guardrails_span_that_is_exported_twice_has_one_id() -> None:
    """LiteLLM exports it under the call and under the failed request; so for 5 of 23 spans."""
    twice = [
        span(GUARDRAIL, spanId=own, name="guardrail", parentSpanId=parent)
        for own, parent in (("aaaaaaaaaaaaaaaa", CALL_SPAN), ("bbbbbbbbbbbbbbbb", "cccccccccccccccc"))
    ]
    first, second = events(*twice)
    assert first.source_event_id == second.source_event_id


def test_a_flag_on_a_call_that_was_delivered_is_a_bypass_and_a_mask_is_no_block() -> None:
    call = span(CHAT | {"litellm.call_id": "c-1"})
    flagged = span(GUARDRAIL | {"guardrail_status": "guardrail_flagged"}, spanId="aaaaaaaaaaaaaaaa")
    masked = span(GUARDRAIL | {"guardrail_status": "success", "masked_entity_count": '{"EMAIL": 1}'}, spanId="b" * 16)
    verdicts = [event for event in events(call, flagged, masked) if event.kind is Kind.GUARDRAIL]
    assert [(event.verdicts[0].outcome, event.delivered) for event in verdicts] == [
        (Outcome.FLAG, True), (Outcome.MASK, True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": "be nice", "gen_ai.prompt.1.role": "user",
         "gen_ai.prompt.1.content": "hello", "gen_ai.completion.0.content": "hi there"},
        {"llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "hello",
         "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "hi there"},
    ],
)  # fmt: skip
def test_messages_that_are_spread_over_attributes_are_put_together(attributes: dict[str, Any]) -> None:
    prompt, answer = events(span({"openinference.span.kind": "LLM"} | attributes))
    assert (prompt.text, answer.text) == ("hello", "hi there")


def test_messages_in_events_of_a_span_are_read() -> None:
    inner = [
        {"name": "gen_ai.user.message", "attributes": pairs({"content": "hello"})},
        {"name": "gen_ai.choice", "attributes": pairs({"message": {"role": "assistant", "content": "hi there"}})},
        {"name": "exception", "attributes": pairs({"exception.message": "no"})},
    ]
    prompt, answer = events(span({"gen_ai.operation.name": "chat"}, events=inner))
    assert (prompt.text, answer.text) == ("hello", "hi there")


def test_a_user_that_nothing_names_is_the_key_else_unknown() -> None:
    bare = {"gen_ai.operation.name": "chat"}
    assert events(span(bare))[0].user_kind is UserKind.UNKNOWN
    keyed_ = events(span(bare | {"metadata.user_api_key_hash": "abc", "metadata.user_api_key_end_user_id": ""}))[0]
    assert (keyed_.user_id, keyed_.user_kind) == ("abc", UserKind.API_KEY)


def test_times_in_1970_and_in_no_year_are_named_by_index() -> None:
    old = span(CHAT, startTimeUnixNano="5", endTimeUnixNano="6")
    none = span(CHAT, startTimeUnixNano="0", endTimeUnixNano="0")
    for found in (
        whole(otlp.traces(as_json(span(CHAT), old, none), NOW, names(), json=True)),
        whole(otlp.traces(as_protobuf(span(CHAT), old, none), NOW, names())),
    ):
        assert [rejected.index for rejected in found.rejected] == [1, 2]
        assert found.rejected[1].error == "it has no time; send one" and len(found.events) == 2


@pytest.mark.parametrize("body", [b"\xff" * 100, b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x05abc", b"\x0a" * 70_000, b"{}x"])
def test_protobuf_garbage_is_refused(body: bytes) -> None:
    for decode in (otlp.traces, otlp.logs):
        with pytest.raises(Malformed):
            whole(decode(body, NOW, names()))


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"resourceSpans": 5}', b"\xff", b"{"])
def test_json_that_is_no_request_is_refused_and_what_is_unknown_is_ignored(body: bytes) -> None:
    with pytest.raises(Malformed):
        whole(otlp.traces(body, NOW, names(), json=True))
    assert whole(otlp.traces(b'{"other": [[[]]]}', NOW, names(), json=True)) == Decoded()


def nested(levels: int) -> str:
    return '{"arrayValue":{"values":[' * levels + '{"stringValue":"x"}' + "]}}" * levels


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"name": 5}, "`name` must be text"),
        ({"status": []}, "`status` must be a JSON object"),
        ({"attributes": [{"key": 1}]}, "`attributes.key` must be text"),
        (
            f'{{"attributes": [{{"key": "a", "value": {nested(1000)}}}]}}',
            "the event is nested too deeply; send it flat",
        ),
        (
            f'{{"attributes": [{{"key": "a", "value": {nested(50_000)}}}]}}',
            "the event is nested too deeply; send it flat",
        ),
        ("[" * 5000 + "]" * 5000, "the event must be a JSON object"),
        ("null", "the event must be a JSON object"),
    ],
)
@pytest.mark.parametrize("decode", [otlp.traces, otlp.logs])
def test_one_bad_span_or_log_record_is_named_by_index_and_the_others_are_taken(
    decode: Any, bad: dict[str, Any] | str, why: str
) -> None:
    if isinstance(bad, dict) and decode is otlp.logs:
        bad = {LOGGED.get(key, key): bad[key] for key in bad}
        why = why.replace("`name`", "`eventName`").replace("`status`", "`body`")
    record, _ = log_request(eventName="gen_ai.user.message", body=value({"content": "hello"}))
    good = json.dumps(span(CHAT)) if decode is otlp.traces else record.decode()[len(LOG_HEAD) : -len("]}]}]}")]
    rest = bad if isinstance(bad, str) else json.dumps(json.loads(good) | bad)
    head = SPAN_HEAD if decode is otlp.traces else LOG_HEAD
    found = whole(decode(f"{head}{good},{rest},{good}]}}]}}]}}".encode(), NOW, names(), json=True))
    assert [(rejected.index, rejected.error) for rejected in found.rejected] == [(1, why)]
    assert [event.text for event in found.events if event.stage is Stage.INPUT] == ["hello", "hello"]


def test_a_value_that_is_as_deep_as_it_can_just_be_read_spoils_its_own_span_only() -> None:
    for depth in range(100, 1100, 40):
        asked = {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": "[" * depth + "]" * depth}
        said = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": asked["gen_ai.retrieval.documents"]}
        deep = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": value("x")}
        tool = json.dumps(span(deep)).replace('{"stringValue": "x"}', nested(depth // 3))
        body = f"{SPAN_HEAD}{json.dumps(span(asked))},{json.dumps(span(said))},{tool},{json.dumps(span(CHAT))}]}}]}}]}}"
        found = whole(otlp.traces(body.encode(), NOW, names(), json=True))
        assert [event.text for event in found.events][-2:] == ["hello", "hi there"]


LOGGED = {"name": "eventName", "status": "body"}
"""A field of a span → one of the same type of a log record."""
SPAN_HEAD, LOG_HEAD = (
    '{"resourceSpans": [{"scopeSpans": [{"spans": [',
    '{"resourceLogs": [{"scopeLogs": [{"logRecords": [',
)


def test_a_resource_that_cannot_be_read_spoils_its_own_spans_only() -> None:
    scopes = [{"spans": [span(CHAT)]}]
    request = [{"resource": {"attributes": 5}, "scopeSpans": scopes}, {"resource": None, "scopeSpans": scopes}]
    found = whole(otlp.traces(json.dumps({"resourceSpans": request}).encode(), NOW, names(), json=True))
    assert [(rejected.index, rejected.error) for rejected in found.rejected] == [
        (0, "its resource cannot be read: `attributes` must be a JSON array")
    ]
    assert len(found.events) == 2


def test_after_very_many_bad_spans_the_rest_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "MOST_BAD", 10)
    found = whole(otlp.traces(f"{SPAN_HEAD}{'0,' * 100}0]}}]}}]}}".encode(), NOW, names(), json=True))
    assert [rejected.index for rejected in found.rejected] == list(range(11))
    assert found.rejected[-1].error.startswith("from here on nothing was read")


def test_a_large_request_is_parsed_in_pieces_that_together_are_the_whole() -> None:
    body = as_protobuf(*[span(CHAT)] * 20) * 60
    parts = list(pieces_of(body))
    assert len(parts) > 1 and b"".join(parts) == body
    assert all(len(part) < 2 * SLICE for part in parts)
    slices = list(otlp.traces(body, NOW, names()))
    assert sum(len(part.events) for part in slices) == 2 * 20 * 60
    assert max(len(part.events) for part in slices) <= 100


def log_request(**fields: Any) -> tuple[bytes, bytes]:
    """A log record as JSON and as protobuf."""
    record = {"traceId": TRACE, "spanId": CALL_SPAN, "timeUnixNano": START} | fields
    request = ExportLogsServiceRequest()
    made = request.resource_logs.add().scope_logs.add().log_records.add(
        trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(CALL_SPAN), time_unix_nano=START,
        event_name=fields.get("eventName", ""), attributes=keyed(fields.get("attributes", [])),
    )  # fmt: skip
    if "body" in fields:
        made.body.CopyFrom(any_value(fields["body"]))
    return json.dumps(
        {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    ).encode(), request.SerializeToString()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"eventName": "gen_ai.client.inference.operation.details", "attributes": pairs(CHAT)}, ["hello", "hi there"]),
        ({"eventName": "gen_ai.user.message", "body": value({"content": "hello"})}, ["hello"]),
        ({"eventName": "gen_ai.choice", "body": value({"message": {"role": "assistant", "content": "hi"}})}, ["hi"]),
        ({"attributes": pairs({"event_name": "gen_ai.content.prompt", "gen_ai.prompt": "hello"}),
          "body": value({"role": "user", "content": "hello"})}, ["hello"]),
        ({"attributes": pairs({"event_name": "gen_ai.content.prompt", "gen_ai.prompt": "be nice"}),
          "body": value({"role": "system", "content": "be nice"})}, []),
        ({"body": value("a line of some log")}, []),
    ],
)  # fmt: skip
def test_log_records_that_carry_words_are_read_and_all_others_left_alone(
    fields: dict[str, Any], said: list[str]
) -> None:
    as_text, packed = log_request(**fields)
    found = whole(otlp.logs(as_text, NOW, names(), json=True))
    assert found == whole(otlp.logs(packed, NOW, names()))
    assert [event.text for event in found.events] == said
