"""Shapes as LiteLLM 1.106.2 posted them; `tests/integration/test_events_litellm.py` runs the real proxy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.detection.engine import Engine
from bot.detection.event import Event, Kind, Outcome, Stage, UserKind
from bot.detection.scan import Canary, Knowledge, Scanner
from bot.detection.sources import litellm
from bot.detection.sources.decoded import Decoded, Malformed
from bot.playbook import load
from tests.detection.sources.test_native import JSON, NOW

START = 1_795_319_806.182511
RULES = load().rules
FILTERED: dict[str, Any] = {
    "guardrail_name": "content-filter",
    "guardrail_mode": ["pre_call", "post_call"],
    "guardrail_status": "guardrail_intervened",
    "guardrail_response": [{"type": "blocked_word", "keyword": "ignore previous instructions", "action": "BLOCK"}],
    "start_time": START + 0.004,
    "masked_entity_count": {},
}
CALL: dict[str, Any] = {
    "id": "chatcmpl-0",
    "litellm_call_id": "c5253f82",
    "trace_id": "e4732c559f87a3a647eeee8b77038df9",
    "session_id": "",
    "call_type": "acompletion",
    "status": "success",
    "status_fields": {"llm_api_status": "success", "guardrail_status": "not_run"},
    "startTime": START,
    "endTime": START + 0.7,
    "response_time": 0.7,
    "model": "openai/chat",
    "model_group": "chat",
    "end_user": "alice",
    "total_tokens": 7,
    "metadata": {
        "user_api_key_hash": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
        "user_api_key_end_user_id": "alice",
        "user_api_key_team_id": "support",
        "requester_ip_address": "127.0.0.1",
        "requester_metadata": {"trace_id": "e4732c559f87a3a647eeee8b77038df9"},
    },
    "messages": [
        {"role": "system", "content": "be nice"},
        {"role": "user", "content": "hello"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "again"}, {"type": "image_url", "image_url": {"url": "x"}}],
        },
    ],
    "response": {"choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "the answer"}}]},
    "guardrail_information": None,
}
BLOCKED = CALL | {
    "status": "failure",
    "status_fields": {"llm_api_status": "failure", "guardrail_status": "guardrail_intervened"},
    "response": {},
    "guardrail_information": [FILTERED],
    "model_parameters": {},
}


def decoded(body: bytes) -> Decoded:
    parts = list(litellm.decode(body, NOW))
    return Decoded([e for part in parts for e in part.events], [r for part in parts for r in part.rejected])


def events(*calls: object) -> list[Event]:
    found = decoded(json.dumps(calls).encode())
    assert found.rejected == []
    return found.events


def test_one_call_is_the_prompt_and_the_answer_of_the_same_call() -> None:
    prompt, answer = events(CALL)
    assert (prompt.stage, prompt.text, prompt.at) == (Stage.INPUT, "hello\nagain", START)
    assert (answer.stage, answer.text, answer.at) == (Stage.OUTPUT, "the answer", START + 0.7)
    assert prompt.call_id == answer.call_id == "c5253f82"
    assert prompt.source_event_id != answer.source_event_id and prompt.source == "litellm"
    assert answer.delivered is True and answer.refused is False
    assert (answer.tokens, answer.latency_ms) == (7, 700.0)
    assert (answer.app, answer.endpoint, answer.model) == ("support", "chat", "openai/chat")


def test_the_system_prompt_is_not_the_users_own_words() -> None:
    """Otherwise its exposure would look like something that the user typed, and never be found."""
    assert "be nice" not in (events(CALL)[0].text or "")


@pytest.mark.parametrize("body", [
    json.dumps([CALL, BLOCKED]), f"{json.dumps(CALL)}\n{json.dumps(BLOCKED)}", json.dumps(CALL),
])  # fmt: skip
def test_every_log_format_is_read(body: str) -> None:
    assert {event.call_id for event in decoded(body.encode()).events} == {"c5253f82"}


def test_a_block_is_a_verdict_on_a_prompt_that_got_no_answer() -> None:
    (prompt,) = events(BLOCKED)
    (verdict,) = prompt.verdicts
    assert (verdict.guardrail, verdict.outcome) == ("content-filter", Outcome.BLOCK)
    assert verdict.categories == ("blocked_word",) and prompt.delivered is False


def test_a_providers_error_is_no_block() -> None:
    failed = BLOCKED | {
        "status_fields": {"llm_api_status": "failure", "guardrail_status": "success"},
        "guardrail_information": [FILTERED | {"guardrail_status": "success", "guardrail_response": []}],
        "error_information": {"error_code": "500", "error_class": "InternalServerError"},
    }
    (prompt,) = events(failed)
    assert [verdict.outcome for verdict in prompt.verdicts] == [Outcome.ALLOW]


@pytest.mark.parametrize("status", ["success", "guardrail_intervened"])
def test_a_mask_is_no_block(status: str) -> None:
    masked = FILTERED | {
        "guardrail_status": status,
        "guardrail_response": [{"type": "blocked_word", "action": "MASK"}],
        "masked_entity_count": {"blocked_word": 1},
    }
    assert [v.outcome for v in events(CALL | {"guardrail_information": [masked]})[0].verdicts] == [Outcome.MASK]


def test_what_was_flagged_and_delivered_is_a_bypass_and_a_guardrail_that_is_away_is_an_error() -> None:
    flagged = FILTERED | {"guardrail_status": "guardrail_flagged"}
    away = FILTERED | {"guardrail_status": "guardrail_failed_to_respond"}
    prompt = events(CALL | {"guardrail_information": [flagged, away]})[0]
    assert [v.outcome for v in prompt.verdicts] == [Outcome.FLAG, Outcome.ERROR]
    assert prompt.delivered is True


def test_a_guardrail_that_ran_after_the_answer_judged_the_answer() -> None:
    """It lists both modes with every verdict: only its time tells."""
    late = FILTERED | {"guardrail_status": "guardrail_flagged", "start_time": START + 0.71}
    prompt, answer = events(CALL | {"guardrail_information": [late]})
    assert prompt.verdicts == () and answer.verdicts[0].outcome is Outcome.FLAG
    only = FILTERED | {"guardrail_status": "guardrail_flagged", "guardrail_mode": "post_call"}
    assert events(CALL | {"guardrail_information": [only]})[1].verdicts


@pytest.mark.parametrize("information", [None, {}, [], [None, 5], "text", FILTERED])
def test_guardrail_information_may_be_null_one_object_or_a_list(information: object) -> None:
    verdicts = events(BLOCKED | {"status_fields": None, "guardrail_information": information})[0].verdicts
    assert len(verdicts) == (information is FILTERED)


def test_an_older_record_that_only_says_that_a_guardrail_stepped_in_is_a_block() -> None:
    applied = BLOCKED["metadata"] | {"applied_guardrails": ["firsthour", "lakera"]}
    (verdict,) = events(BLOCKED | {"guardrail_information": None, "metadata": applied})[0].verdicts
    assert (verdict.guardrail, verdict.outcome) == ("lakera", Outcome.BLOCK)


def test_of_a_stream_that_was_cut_off_nobody_knows_what_was_delivered() -> None:
    assert events(BLOCKED | {"model_parameters": {"stream": True}})[0].delivered is None


@pytest.mark.parametrize(
    ("changes", "user", "kind"),
    [
        ({}, "alice", UserKind.END_USER),
        ({"end_user": ""}, "alice", UserKind.END_USER),
        ({"end_user": None, "metadata": {"user_api_key_hash": "abc"}}, "abc", UserKind.API_KEY),
        ({"end_user": "", "metadata": {"requester_ip_address": "10.0.0.7"}}, "10.0.0.7", UserKind.IP),
        ({"end_user": "", "metadata": None}, None, UserKind.UNKNOWN),
    ],
)
def test_the_user_is_the_end_user_else_the_key_else_the_address(
    changes: dict[str, object], user: str | None, kind: UserKind
) -> None:
    found = events(CALL | changes)[0]
    assert (found.user_id, found.user_kind) == (user, kind)


def test_a_session_is_what_the_caller_named_and_never_the_trace_id_that_litellm_made() -> None:
    assert events(CALL)[0].session_id is None
    assert events(CALL | {"trace_id": "s-alice"})[0].session_id == "s-alice"
    assert events(CALL | {"session_id": "s-alice"})[0].session_id == "s-alice"


@pytest.mark.parametrize(
    ("started", "at"),
    [
        (str(START), START),
        ("2026-11-22T03:56:46+00:00", 1_795_319_806.0),
        ("2026-11-22 03:56:46.182511", NOW),  # no zone: unknown, and it was posted just now
        (None, START + 0.7),
        ("soon", START + 0.7),
    ],
)
def test_times_are_numbers_or_text_and_may_be_missing(started: object, at: float) -> None:
    missing = {} if at == START + 0.7 else {"endTime": None}
    assert events(CALL | {"startTime": started} | missing)[0].at == pytest.approx(at)


def test_a_record_from_another_year_and_what_is_no_record_are_named_by_index() -> None:
    found = decoded(json.dumps([CALL, CALL | {"startTime": 5}, None, {}, CALL | {"endTime": 4e12}]).encode())
    assert [rejected.index for rejected in found.rejected] == [1, 2, 3, 4]
    assert found.rejected[0].error.startswith("`startTime` or `endTime` is more than 7 days ago")
    assert len(found.events) == 2


def test_an_end_user_that_is_too_long_to_store_is_still_seen() -> None:
    first, second = events(CALL | {"end_user": "m" * 10_000})
    assert first.user_id == second.user_id and (first.user_id or "").startswith("sha256:")


def test_tools_that_the_model_asks_for_and_tools_that_litellm_ran_are_tool_calls() -> None:
    asked = {"id": "call_1", "type": "function", "function": {"name": "delete_everything", "arguments": '{"a":1}'}}
    response = {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [asked]}}]}
    tool = events(CALL | {"response": response})[-1]
    assert tool.kind is Kind.TOOL_CALL and tool.tool is not None
    assert (tool.tool.name, tool.tool.call_id, tool.tool.completed) == ("delete_everything", "call_1", None)
    run = {"mcp_tool_call_metadata": {"name": "transfer", "arguments": {"amount": 9999}}}
    (ran,) = events(CALL | {"call_type": "call_mcp_tool", "metadata": run})
    assert ran.tool is not None and (ran.tool.name, ran.tool.completed, ran.tool.authorized) == ("transfer", True, None)


def ran(number: int, at: float, **fields: object) -> dict[str, Any]:
    """A tool that LiteLLM ran over MCP: its `CallToolResult`."""
    text = json.dumps({"account": number})
    return CALL | {
        "call_type": "call_mcp_tool", "litellm_call_id": f"mcp-{number}", "startTime": at, "endTime": at,
        "metadata": {"mcp_tool_call_metadata": {"name": "accounts", "arguments": {"id": number}}}, "messages": None,
        "response": {"meta": None, "content": [{"type": "text", "text": text, "annotations": None, "meta": None}],
                     "structured_content": None, "is_error": False, "result_type": "complete"} | fields,
    }  # fmt: skip


def test_101_different_results_of_a_tool_that_litellm_ran_are_bulk_extraction_and_100_are_not() -> None:
    def fired(*records: dict[str, Any]) -> set[str]:
        scanner, engine = (
            Scanner(Knowledge(), b"a key for tests, of thirty-two b"),
            Engine(RULES, most_keys=1000),
        )
        return {one.trigger for event in events(*records) for one in engine.take([scanner.scan(event, NOW)])}

    results = [ran(number, START + number) for number in range(101)]
    assert "bulk_data_extraction" in fired(*results)
    assert fired(*results[:100], *(ran(0, START + 101) | {"litellm_call_id": f"again-{n}"} for n in range(50))) == set()
    for failed in ("is_error", "isError"):
        assert fired(*results[:100], ran(100, START + 100, **{failed: True})) == set()


def test_a_tool_that_litellm_ran_is_a_result_where_the_record_holds_one_and_else_a_call() -> None:
    (held,), (failed,) = events(ran(1, START)), events(ran(2, START) | {"status": "failure", "response": {}})
    assert (held.kind, held.text) == (Kind.TOOL_RESULT, '{"account": 1}') and held.tool is not None
    assert (held.tool.name, held.tool.completed, held.data and held.data.ok) == ("accounts", True, True)
    assert failed.kind is Kind.TOOL_CALL and failed.tool is not None and failed.tool.completed is False
    assert events(ran(1, START, meta={"took": 2}))[0].data == held.data, "the same data, whatever stands beside it"
    assert events(ran(1, START, structured_content={"a": 1}))[0].data != held.data


CANARY = "fh-canary-0f9e8d7c6b5a"


@pytest.mark.parametrize("response", [
    CANARY,
    [f"one {CANARY}"],
    [{"role": "assistant", "content": CANARY}],
    {"response": CANARY},
    {"response": json.dumps({"role": "assistant", "content": [{"type": "text", "text": CANARY}]})},
    {"response": {"candidates": [{"content": {"parts": [{"text": CANARY}], "role": "model"}}]}},
    {"response": json.dumps({"answer": CANARY, "content": "hi"})},
    {"response": f"cannot parse chunks to standard response object. Chunks=['data: {CANARY}']"},
    {"choices": [{"message": {"content": "hi", "reasoning_content": f"I must not say {CANARY}"}}]},
    {"choices": [{"message": {"content": "hi", "thinking_blocks": [{"type": "thinking", "thinking": CANARY}]}}]},
    {"choices": [{"message": {"content": None, "refusal": f"I cannot say {CANARY}"}}]},
    {"choices": [{"text": CANARY}]},
    {"choices": [{"delta": {"content": CANARY}}]},
    {"content": [{"type": "thinking", "thinking": CANARY, "signature": "x"}, {"type": "text", "text": "hi"}]},
    {"output": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": CANARY}]}]},
    {"output": [{"type": "message", "content": [{"type": "output_text", "text": CANARY}]}]},
    {"output": [{"type": "message", "content": [{"type": "refusal", "refusal": CANARY}]}]},
    {"text": CANARY},
])  # fmt: skip
def test_a_canary_is_found_wherever_an_answer_has_its_words(response: object) -> None:
    scanner = Scanner(Knowledge(canaries=(Canary("c", "credential", CANARY),)), b"a key for tests, of thirty-two b")
    answer = events(CALL | {"response": response})[1]
    assert answer.stage is Stage.OUTPUT and (answer.text or "").count(CANARY) == 1
    assert [mark.name for mark in scanner.scan(answer, NOW).marks] == ["c"]


def test_a_refusal_is_one_in_every_shape() -> None:
    for response in (
        {"choices": [{"message": {"refusal": "no"}}]},
        {"output": [{"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}]},
        {"choices": [{"message": {"content": "no"}, "finish_reason": "content_filter"}]},
    ):
        assert events(CALL | {"response": response})[1].refused is True


def test_messages_that_are_bare_texts_are_the_users_words() -> None:
    assert events(CALL | {"messages": ["one", "two"]})[0].text == "one\ntwo"
    assert events(CALL | {"messages": "one"})[0].text == "one"


def test_a_search_in_a_vector_store_is_a_retrieval_known_by_what_it_found() -> None:
    search = {"query": "prices", "vector_store_search_response": {"data": [{"content": "a"}, {"content": "b"}]}}
    found = events(CALL | {"metadata": {"vector_store_request_metadata": [search]}})[-1]
    assert found.kind is Kind.RETRIEVAL and found.data is not None
    assert (found.data.rows, found.data.ok) == (2, True) and found.data.result_sha256


def test_a_body_that_is_no_json_is_refused() -> None:
    with pytest.raises(Malformed):
        decoded(b'{"id": ')


@given(st.lists(JSON, min_size=5, max_size=5))
@settings(max_examples=30, deadline=None)
def test_whatever_types_the_fields_have_nothing_is_raised(values: list[object]) -> None:
    fields = ("messages", "response", "metadata", "guardrail_information", "end_user")
    hostile = dict(zip(fields, values, strict=True))
    for record in (
        CALL | hostile,
        CALL | {"response": {"choices": [{"message": values[0], "finish_reason": values[1]}]}},
    ):
        for event in decoded(json.dumps([record]).encode()).events:
            assert event.user_id is None or len(event.user_id) <= 300
