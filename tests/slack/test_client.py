"""What every answer of Slack's becomes: done, later, later and look, never. Over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.practice.server import PracticeWorkspace
from bot.slack.client import Answer, Slack, slack_client, slack_session
from bot.slack.failures import ALREADY, PERMANENT, TEMPORARY, UNCERTAIN, Failure
from bot.slack.pace import Pace


@pytest.fixture
async def ws() -> AsyncIterator[PracticeWorkspace]:
    async with PracticeWorkspace() as workspace:
        yield workspace


@pytest.fixture
async def slack(ws: PracticeWorkspace) -> AsyncIterator[Slack]:
    async with slack_session() as session:
        yield Slack(slack_client(ws.bot_token, ws.api_url, session), Pace())


async def post(slack: Slack) -> Answer | Failure:
    return await slack.call("chat.postMessage", channel="incidents", text="hello")


async def failing(slack: Slack, ws: PracticeWorkspace, **fault: Any) -> Failure:
    ws.faults.add(method="chat.postMessage", **fault)
    failure = await post(slack)
    assert isinstance(failure, Failure)
    return failure


async def test_an_answer_is_handed_on(slack: Slack, ws: PracticeWorkspace) -> None:
    answer = await post(slack)
    assert isinstance(answer, Answer)
    assert answer.data["ts"] == ws.messages("incidents")[-1].ts


async def test_nothing_is_retried_by_the_sdk(slack: Slack, ws: PracticeWorkspace) -> None:
    assert slack.client.retry_handlers == []
    await failing(slack, ws, when="after", kind="reset")
    assert len(ws.record.calls("chat.postMessage")) == 1


@pytest.mark.parametrize("error", sorted(ALREADY))
async def test_what_is_so_already_is_done(slack: Slack, ws: PracticeWorkspace, error: str) -> None:
    ws.faults.add(method="chat.postMessage", kind="error", error=error)
    answer = await post(slack)
    assert isinstance(answer, Answer) and answer.already


@pytest.mark.parametrize(
    "fault",
    [
        {"when": "after", "kind": "reset"},
        {"when": "before", "kind": "reset"},
        {"when": "after", "kind": "status", "status": 500},
        {"when": "before", "kind": "status", "status": 503},
        *({"kind": "error", "error": error} for error in sorted(UNCERTAIN)),
    ],
)
async def test_what_may_have_happened_is_uncertain(slack: Slack, ws: PracticeWorkspace, fault: dict[str, Any]) -> None:
    failure = await failing(slack, ws, **fault)
    assert failure.uncertain and not failure.permanent and failure.after is None


async def test_a_slow_answer_is_uncertain(slack: Slack, ws: PracticeWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.slack.client.TIMEOUT_SECONDS", 0.05)
    assert (await failing(slack, ws, when="after", kind="delay", seconds=0.5)).uncertain


async def test_a_rate_limit_names_its_time_and_is_certain(slack: Slack, ws: PracticeWorkspace) -> None:
    failure = await failing(slack, ws, kind="ratelimited", retry_after=7)
    assert failure.after is not None and failure.after.total_seconds() == 7
    assert not failure.uncertain and not failure.permanent
    again = await post(slack)
    assert isinstance(again, Failure) and again.error == "paced" and again.after is not None
    assert 6 < again.after.total_seconds() <= 7
    assert len(ws.record.calls("chat.postMessage")) == 1, "the method rests"


@pytest.mark.parametrize("error", ["ratelimited", "rate_limited"])
async def test_a_rate_limit_may_come_with_a_good_status(slack: Slack, ws: PracticeWorkspace, error: str) -> None:
    failure = await failing(slack, ws, kind="error", error=error)
    assert failure.after is not None and not failure.uncertain


@pytest.mark.parametrize("error", sorted(TEMPORARY))
async def test_what_passes_is_tried_again(slack: Slack, ws: PracticeWorkspace, error: str) -> None:
    failure = await failing(slack, ws, kind="error", error=error)
    assert not failure.permanent and not failure.uncertain


@pytest.mark.parametrize("error", [*sorted(PERMANENT), "something_new"])
async def test_what_cannot_be_is_said_in_words(slack: Slack, ws: PracticeWorkspace, error: str) -> None:
    failure = await failing(slack, ws, kind="error", error=error)
    assert failure.permanent and not failure.uncertain
    assert error in failure.why and len(failure.why.split()) > 2


async def test_a_missing_permission_is_named(slack: Slack, ws: PracticeWorkspace) -> None:
    ws.grant("channels:read")
    failure = await post(slack)
    assert isinstance(failure, Failure) and failure.permanent and "chat:write" in failure.why


async def test_a_slack_that_is_not_there_certainly_did_nothing() -> None:
    async with slack_session() as session:
        slack = Slack(slack_client("xoxb-x", "http://127.0.0.1:9/api/", session), Pace())
        failure = await post(slack)
    assert isinstance(failure, Failure)
    assert failure.error == "not_reached" and not failure.uncertain and not failure.permanent


async def test_what_exceeds_our_budget_is_not_sent(slack: Slack, ws: PracticeWorkspace) -> None:
    answers = [await post(slack) for _ in range(8)]
    assert sum(isinstance(one, Answer) for one in answers) == len(ws.record.calls("chat.postMessage")) == 4
    last = answers[-1]
    assert isinstance(last, Failure) and last.error == "paced" and not last.permanent and last.after is not None
