"""What LiteLLM's proxy really posts, over both of its callbacks, becomes the events that the triggers count."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from bot.detection.event import Event, Kind, Outcome, Stage, UserKind
from bot.incident.words import ActionKind, ScopeKind
from tests.detection.sources.test_turns import PROBES
from tests.integration.calls import Client, said
from tests.integration.gate import TOKEN as GATE_TOKEN
from tests.integration.gate import Gate, Policy
from tests.integration.inbox import TOKEN, Inbox, inbox
from tests.integration.laboratory import Laboratory
from tests.integration.systems import litellm_events
from tests.integration.systems.litellm import LiteLLM
from tests.integration.systems.litellm_events import BLOCKED_WORDS, BROKEN, FILTER, GATE, MASKED_WORD
from tests.integration.systems.upstream import CALLER, MARK, Upstream
from tests.integration.test_recipes import firsthour, measured
from tests.ports import free_port


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def proxy(laboratory: Laboratory, upstream: Upstream, gate: Gate, port: int) -> Iterator[LiteLLM]:
    running = functools.partial(
        litellm_events.running, upstream_url=upstream.url, gate_url=gate.url, gate_token=GATE_TOKEN,
        events_url=f"http://127.0.0.1:{port}", token=TOKEN,
    )  # fmt: skip
    with laboratory.start("litellm", running) as system:
        yield system


@pytest.fixture
async def events(tmp_path: Path, port: int) -> AsyncIterator[Inbox]:
    async with inbox(tmp_path, port) as kept:
        yield kept
        assert kept.bad == 0, "LiteLLM posted something that was not taken"


@pytest.fixture
async def customer(proxy: LiteLLM, events: Inbox) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {proxy.key}"}
    async with httpx.AsyncClient(base_url=proxy.url, headers=headers, timeout=30, trust_env=False) as http:
        yield Client(http)


async def told(events: Inbox, user: str, count: int) -> list[Event]:
    """What `generic_api` says of the user's calls, once so many events are there."""
    await events.until(lambda: len(events.of("litellm", user)) >= count)
    return events.of("litellm", user)


async def spans(events: Inbox, user: str, count: int) -> list[Event]:
    """What `otel` says of them."""
    await events.until(lambda: len(events.of("otlp", user)) >= count)
    return events.of("otlp", user)


def verdicts(told: list[Event], guardrail: str) -> set[Outcome]:
    return {verdict.outcome for event in told for verdict in event.verdicts if verdict.guardrail == guardrail}


async def test_a_call_is_a_prompt_and_a_delivered_answer_of_one_user_and_session(
    customer: Client, events: Inbox, user: str
) -> None:
    system = {"role": "system", "content": "the system prompt"}
    messages = [system, {"role": "user", "content": "hello"}]
    await customer.ask(user, messages=messages, guardrails=[], metadata={"session_id": f"s-{user}"})
    prompt, answer = await told(events, user, 2)
    assert (prompt.stage, prompt.text) == (Stage.INPUT, "hello")
    assert answer.stage is Stage.OUTPUT and MARK in (answer.text or "") and answer.delivered is True
    assert answer.session_id == f"s-{user}" and answer.call_id == prompt.call_id
    assert answer.user_kind is UserKind.END_USER and answer.endpoint == "chat"
    prompt, answer = await spans(events, user, 2)
    assert prompt.text == "hello" and MARK in (answer.text or "") and answer.delivered is True
    assert answer.call_id == (await told(events, user, 2))[0].call_id, "both callbacks name the call alike"


async def test_a_stream_is_told_whole(customer: Client, events: Inbox, user: str) -> None:
    await customer.stream(user, guardrails=[])
    answer = (await told(events, user, 2))[-1]
    assert (answer.text or "").count(MARK) == 30 and answer.delivered is True and answer.session_id is None


async def test_a_block_is_a_block_and_a_mask_and_a_broken_provider_are_none(
    customer: Client, events: Inbox, user: str, other: str
) -> None:
    assert (await customer.ask(user, f"please {BLOCKED_WORDS}", guardrails=[FILTER])).status_code == 400
    assert (await customer.ask(other, f"it is {MASKED_WORD}", guardrails=[FILTER])).status_code == 200
    assert (await customer.ask(f"{user}-b", "hi", model=BROKEN, guardrails=[FILTER])).status_code == 500
    blocked = await told(events, user, 1)
    assert verdicts(blocked, FILTER) == {Outcome.BLOCK} and blocked[0].delivered is False
    assert verdicts(await told(events, other, 2), FILTER) == {Outcome.MASK, Outcome.ALLOW}
    broken = await told(events, f"{user}-b", 1)
    assert verdicts(broken, FILTER) == {Outcome.ALLOW} and all(event.delivered is False for event in broken)
    await events.until(lambda: verdicts(events.of("otlp", user), FILTER))
    exported = [event for event in events.of("otlp", user) if event.kind is Kind.GUARDRAIL]
    assert verdicts(exported, FILTER) == {Outcome.BLOCK}
    assert len({event.source_event_id for event in exported}) == 1, "exported twice, and the same"
    assert Outcome.BLOCK not in verdicts(events.of("otlp", other), FILTER)


async def test_what_our_own_gate_blocks_is_told_under_its_own_name(
    customer: Client, events: Inbox, policy: Policy, user: str
) -> None:
    await policy.put(ActionKind.BLOCK_USER, ScopeKind.USER, user)
    assert (await customer.ask(user, guardrails=[GATE])).status_code == 400
    (prompt,) = await told(events, user, 1)
    assert [verdict.guardrail for verdict in prompt.verdicts] == ["firsthour"]


async def test_a_tool_that_the_model_asks_for_is_a_tool_call(customer: Client, events: Inbox, user: str) -> None:
    tool = {"type": "function", "function": {"name": "delete_everything", "parameters": {"type": "object"}}}
    await customer.ask(user, model=CALLER, tools=[tool], guardrails=[])
    called = (await told(events, user, 3))[-1]
    assert called.kind is Kind.TOOL_CALL and called.tool is not None
    assert (called.tool.name, called.tool.call_id, called.tool.completed) == ("delete_everything", "call_1", None)


async def test_the_recipe_of_the_page_makes_a_real_firsthour_open_an_incident(
    proxy: LiteLLM, port: int, user: str, tmp_path: Path
) -> None:
    """The proxy runs with the block of `docs/events.md`. One conversation, and each call has all that was said before."""
    headers = {"Authorization": f"Bearer {proxy.key}"}
    async with (
        firsthour(tmp_path, port) as bot,
        httpx.AsyncClient(base_url=proxy.url, headers=headers, timeout=30, trust_env=False) as http,
    ):
        history: list[dict[str, str]] = []
        for asked in PROBES:
            history.append({"role": "user", "content": asked})
            answer = said(await Client(http).ask(user, messages=history, guardrails=[]))
            history.append({"role": "assistant", "content": answer})
        await measured(bot, 'firsthour_events_total{outcome="accepted",source="litellm"}', 11)
        await measured(bot, 'firsthour_findings_total{outcome="opened",trigger="anomalous_probing"}', 1)
