"""OpenTelemetry's own exporters, as applications and as the Collector use them, to the addresses of a running ingress.

The Collector itself is in no package registry: its `otlphttp` exporter posts the same protobuf, packed with gzip, with spans
of many applications in one request, which is what the second test has the SDK's exporter send.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.detection.event import Kind, Stage
from tests.integration.conftest import Elsewhere
from tests.integration.inbox import TOKEN, inbox
from tests.ports import free_port

SPANS = """
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    memory = InMemorySpanExporter()
    for app in given["apps"]:
        provider = TracerProvider(resource=Resource.create({"service.name": app}))
        provider.add_span_processor(SimpleSpanProcessor(memory))
        tracer = provider.get_tracer("test")
        with tracer.start_as_current_span("chat gpt-x") as span:
            span.set_attributes({
                "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-x", "user.id": given["user"],
                "gen_ai.conversation.id": "s-1",
                "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "hello"}]}]),
                "gen_ai.output.messages": json.dumps(
                    [{"role": "assistant", "parts": [{"type": "text", "content": "hi there"}], "finish_reason": "stop"}]),
            })
            with tracer.start_as_current_span("execute_tool transfer") as tool:
                tool.set_attributes({
                    "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "transfer",
                    "gen_ai.tool.call.id": "t-1", "firsthour.tool.authorized": False, "firsthour.tool.side_effect": True,
                })
        with tracer.start_as_current_span("GET /"):
            pass
    exporter = OTLPSpanExporter(
        endpoint=given["url"] + "/v1/traces", headers={"Authorization": "Bearer " + given["token"]},
        compression=Compression.Gzip if given["gzip"] else Compression.NoCompression)
    print(json.dumps(exporter.export(memory.get_finished_spans()).name))
"""
LOGS = """
    import time
    from opentelemetry._logs import LogRecord
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(
        endpoint=given["url"] + "/v1/logs", headers={"Authorization": "Bearer " + given["token"]})))
    said = [{"role": "user", "parts": [{"type": "text", "content": "hello"}]}]
    provider.get_logger("test").emit(LogRecord(
        timestamp=time.time_ns(), event_name="gen_ai.client.inference.operation.details",
        attributes={"user.id": given["user"], "gen_ai.operation.name": "chat", "gen_ai.input.messages": said}))
    provider.get_logger("test").emit(LogRecord(timestamp=time.time_ns(), body="some other line"))
    provider.force_flush()
    print(json.dumps("SUCCESS"))
"""


async def test_the_sdks_exporter_sends_a_call_and_its_tool(elsewhere: Elsewhere, tmp_path: Path, user: str) -> None:
    port = free_port()
    async with inbox(tmp_path, port) as events:
        given = {"url": f"http://127.0.0.1:{port}", "token": TOKEN, "user": user, "apps": ["shop"], "gzip": False}
        assert await asyncio.to_thread(elsewhere, SPANS, **given) == "SUCCESS"
        assert events.bad == 0
        tool, prompt, answer = (event for _, event in events.events)
    assert (prompt.stage, prompt.text, prompt.app, prompt.user_id) == (Stage.INPUT, "hello", "shop", user)
    assert (answer.text, answer.session_id, answer.delivered) == ("hi there", "s-1", None)
    assert tool.kind is Kind.TOOL_CALL and tool.tool is not None
    assert (tool.tool.name, tool.tool.authorized, tool.tool.side_effect) == ("transfer", False, True)
    assert tool.user_id == user, "taken over from the call around it"


async def test_a_packed_request_with_spans_of_many_applications_is_taken(
    elsewhere: Elsewhere, tmp_path: Path, user: str
) -> None:
    port, apps = free_port(), [f"app-{number}" for number in range(40)]
    async with inbox(tmp_path, port) as events:
        given = {"url": f"http://127.0.0.1:{port}", "token": TOKEN, "user": user, "apps": apps, "gzip": True}
        assert await asyncio.to_thread(elsewhere, SPANS, **given) == "SUCCESS"
        assert len(events.events) == 3 * len(apps) and events.bad == 0
        assert {event.app for _, event in events.events} == set(apps)


async def test_log_records_with_the_words_of_a_call_are_taken(elsewhere: Elsewhere, tmp_path: Path, user: str) -> None:
    port = free_port()
    async with inbox(tmp_path, port) as events:
        given = {"url": f"http://127.0.0.1:{port}", "token": TOKEN, "user": user}
        await asyncio.to_thread(elsewhere, LOGS, **given)
        await events.until(lambda: events.events)
        ((_, event),) = events.events
    assert (event.stage, event.text, event.user_id) == (Stage.INPUT, "hello", user)
