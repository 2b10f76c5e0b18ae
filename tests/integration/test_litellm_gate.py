"""LiteLLM's proxy asks the gate before and after each call: what its callers get, and what the model behind it sees."""

from __future__ import annotations

import json
from typing import Any

from bot.gate.litellm import UNSEEN
from bot.incident.words import ActionKind, ScopeKind
from tests.integration.calls import SECRET, Client, said, streamed
from tests.integration.gate import ANSWER, Policy
from tests.integration.systems.upstream import CALLER, MARK, Upstream

TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "search", "parameters": {"type": "object", "properties": {}}},
}


async def test_a_blocked_user_gets_neutral_words_and_everybody_else_gets_answers(
    client: Client, policy: Policy, upstream: Upstream, user: str, other: str
) -> None:
    assert MARK in said(await client.ask(user))
    order = await policy.put(ActionKind.BLOCK_USER, ScopeKind.USER, user)
    refused = await client.ask(user)
    assert refused.status_code == 400
    assert f"INC-{policy.incident}" in refused.text and user not in refused.text
    assert MARK not in await client.stream(user)
    assert len(upstream.seen(user)) == 1, "a blocked call reached the model"
    assert MARK in said(await client.ask(other))
    await policy.revert(order)
    assert MARK in said(await client.ask(user))


async def test_a_limited_user_gets_one_answer_a_minute(
    client: Client, policy: Policy, upstream: Upstream, user: str, other: str
) -> None:
    await policy.put(ActionKind.RATE_LIMIT, ScopeKind.USER, user)
    assert MARK in said(await client.ask(user))
    refused = await client.ask(user)
    assert refused.status_code == 400 and f"INC-{policy.incident}" in refused.text
    assert len(upstream.seen(user)) == 1
    for _ in range(2):
        assert MARK in said(await client.ask(other))


async def test_in_safe_mode_the_model_never_sees_the_callers_words_and_the_caller_never_sees_the_models(
    client: Client, policy: Policy, upstream: Upstream, user: str, other: str
) -> None:
    await policy.put(ActionKind.ENABLE_SAFE_MODE, ScopeKind.USER, user)
    assert said(await client.ask(user)) == ANSWER
    wire = await client.stream(user)
    assert streamed(wire) == ANSWER
    assert MARK not in wire
    seen = upstream.seen(user)
    assert len(seen) == 2 and SECRET not in json.dumps(seen)
    assert all(message["content"] == UNSEEN for asked in seen for message in asked["messages"])
    assert SECRET in said(await client.ask(other))
    assert SECRET in streamed(await client.stream(other))


async def test_in_safe_mode_the_model_sees_nothing_of_the_tools_that_a_request_describes(
    client: Client, policy: Policy, upstream: Upstream, user: str
) -> None:
    await policy.put(ActionKind.ENABLE_SAFE_MODE, ScopeKind.USER, user)
    described = TOOL["function"] | {"description": SECRET}
    answer = await client.ask(user, tools=[{"type": "function", "function": described}])
    assert MARK not in answer.text
    assert SECRET not in json.dumps(upstream.seen(user))


async def test_a_blocked_user_gets_no_answer_to_a_request_without_words_either(
    client: Client, policy: Policy, user: str, other: str
) -> None:
    """LiteLLM does not ask about a request without text before it calls the model; it asks about the answer."""
    picture = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}]
    messages = [{"role": "user", "content": picture}]
    await policy.put(ActionKind.BLOCK_USER, ScopeKind.USER, user)
    assert MARK not in (await client.ask(user, messages=messages)).text
    assert MARK not in await client.stream(user, messages=messages)
    assert MARK in said(await client.ask(other, messages=messages))


async def test_with_tools_off_requests_with_tools_and_answers_with_tool_calls_are_refused(
    client: Client, policy: Policy, upstream: Upstream, user: str, other: str
) -> None:
    await policy.put(ActionKind.DISABLE_TOOLS, ScopeKind.USER, user)
    assert (await client.ask(user, tools=[TOOL])).status_code == 400
    assert upstream.seen(user) == []
    assert MARK in said(await client.ask(user))
    refused = await client.ask(user, model=CALLER)
    assert refused.status_code == 400 and "delete_everything" not in refused.text
    # LiteLLM 1.106 hands streamed tool calls on before it asks; the stream then breaks off, and no client carries one out
    # that was not finished. A request that brings tools never gets so far.
    wire = await client.stream(user, model=CALLER)
    assert f"INC-{policy.incident}" in wire and '"finish_reason":"tool_calls"' not in wire.replace(" ", "")
    assert "delete_everything" not in await client.stream(user, model=CALLER, tools=[TOOL])
    allowed = await client.ask(other, model=CALLER, tools=[TOOL])
    assert allowed.json()["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "delete_everything"


async def test_an_endpoint_that_is_off_serves_nobody_and_the_next_one_serves_everybody(
    client: Client, policy: Policy, upstream: Upstream, user: str
) -> None:
    await policy.put(ActionKind.DISABLE_ENDPOINT, ScopeKind.ENDPOINT, "other")
    assert (await client.ask(user, model="other")).status_code == 400
    assert upstream.seen(user) == []
    assert MARK in said(await client.ask(user))
