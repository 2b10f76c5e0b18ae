"""Faults before and after the side effect, rate limits, latency, and the record of it all."""

from __future__ import annotations

import time
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.practice.server import PracticeWorkspace


@pytest.fixture
def client(ws: PracticeWorkspace) -> AsyncWebClient:
    """Without retries, so that every fault is seen."""
    return AsyncWebClient(token=ws.bot_token, base_url=ws.api_url, retry_handlers=[], timeout=1)


async def post(ws: PracticeWorkspace, client: AsyncWebClient, text: str = "x") -> Any:
    return await client.chat_postMessage(channel=ws.channel("incidents").id, text=text)


@pytest.mark.parametrize(("when", "posted"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize("kind", ["reset", "status", "error", "ratelimited"])
async def test_a_fault_hits_before_or_after_the_side_effect(
    ws: PracticeWorkspace, client: AsyncWebClient, when: Any, posted: int, kind: Any
) -> None:
    ws.faults.add(method="chat.postMessage", when=when, kind=kind, times=1)
    with pytest.raises((SlackApiError, aiohttp.ClientError)):
        await post(ws, client)
    assert len(ws.messages("incidents")) == posted
    [call] = ws.record.calls("chat.postMessage")
    assert call.done is bool(posted) and not call.ok and call.fault == f"{kind} {when}"
    assert (await post(ws, client))["ok"]


@pytest.mark.parametrize(("when", "posted"), [("before", 1), ("after", 1)])
async def test_a_delay_longer_than_the_timeout_is_a_timeout(ws: PracticeWorkspace, when: Any, posted: int) -> None:
    client = AsyncWebClient(token=ws.bot_token, base_url=ws.api_url, retry_handlers=[], timeout=0.05)  # type: ignore[arg-type]
    ws.faults.add(method="chat.*", when=when, kind="delay", seconds=0.1)
    with pytest.raises(TimeoutError):
        await post(ws, client)
    await ws.until(lambda: len(ws.messages("incidents")) == posted)


async def test_faults_carry_what_they_are_given(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    ws.faults.add(method="chat.postMessage", kind="ratelimited", retry_after=7)
    with pytest.raises(SlackApiError) as caught:
        await post(ws, client)
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "7"
    assert caught.value.response["error"] == "ratelimited"
    ws.faults.add(method="chat.postMessage", kind="error", error="fatal_error")
    with pytest.raises(SlackApiError, match="fatal_error"):
        await post(ws, client)
    ws.faults.add(method="chat.postMessage", kind="status", status=503)
    with pytest.raises(SlackApiError) as caught:
        await post(ws, client)
    assert caught.value.response.status_code == 503


async def test_a_fault_can_choose_its_calls(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    ws.faults.add(method="chat.postMessage", kind="error", where=lambda args: args.text("text") == "bad", times=None)
    assert (await post(ws, client, "good"))["ok"]
    for _ in range(2):
        with pytest.raises(SlackApiError):
            await post(ws, client, "bad")
    ws.faults.clear()
    assert (await post(ws, client, "bad"))["ok"]


async def test_faults_by_chance_repeat_with_the_seed(clock: Any) -> None:
    outcomes = []
    for _ in range(2):
        async with PracticeWorkspace(now=clock, seed=7) as ws:
            client = AsyncWebClient(token=ws.bot_token, base_url=ws.api_url)
            ws.faults.add(method="auth.test", kind="error", probability=0.5, times=None)
            for _ in range(20):
                try:
                    await client.auth_test()
                except SlackApiError:
                    continue
            outcomes.append([call.ok for call in ws.record.calls("auth.test")])
    assert outcomes[0] == outcomes[1] and len(set(outcomes[0])) == 2


async def test_a_tier_two_method_may_be_called_twenty_times_a_minute(
    ws: PracticeWorkspace, client: AsyncWebClient, clock: Any
) -> None:
    ws.limits.on = True
    for number in range(20):
        await client.conversations_create(name=f"c{number}")
    with pytest.raises(SlackApiError) as caught:
        await client.conversations_create(name="more")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "3"
    clock.advance(3)
    assert (await client.conversations_create(name="more"))["ok"]


async def test_a_channel_takes_a_message_a_second_after_a_burst(
    ws: PracticeWorkspace, client: AsyncWebClient, clock: Any
) -> None:
    ws.limits.on = True
    for _ in range(5):
        await post(ws, client)
    with pytest.raises(SlackApiError) as caught:
        await post(ws, client)
    assert caught.value.response.headers["Retry-After"] == "1"
    other = (await client.conversations_create(name="other"))["channel"]["id"]
    assert (await client.chat_postMessage(channel=other, text="x"))["ok"]
    clock.advance(1)
    assert (await post(ws, client))["ok"]


async def test_limits_are_off_unless_wanted(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    for number in range(25):
        await client.conversations_create(name=f"c{number}")


async def test_latency_is_added_to_every_call(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    ws.web.latency = 0.05
    started = time.monotonic()
    await client.auth_test()
    assert time.monotonic() - started >= 0.05
    assert ws.record.calls("auth.test")[0].seconds >= 0.05


async def test_until_says_when_something_did_not_happen(ws: PracticeWorkspace) -> None:
    with pytest.raises(TimeoutError):
        await ws.until(lambda: False, timeout=0.01)
