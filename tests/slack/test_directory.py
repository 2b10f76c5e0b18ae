"""Whom the workspace knows: asked once, believed for a while, and nobody is a member whom Slack cannot name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.practice.server import PracticeWorkspace
from bot.slack.directory import FRESH, STALE, Directory


class Seconds:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def ws() -> AsyncIterator[PracticeWorkspace]:
    async with PracticeWorkspace() as workspace:
        yield workspace


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def directory(ws: PracticeWorkspace, seconds: Seconds) -> Directory:
    client = AsyncWebClient(token=ws.bot_token, base_url=ws.api_url, retry_handlers=[])
    return Directory(client, clock=seconds)


async def test_members_are_known_and_guests_bots_the_departed_and_strangers_are_not(
    ws: PracticeWorkspace, directory: Directory
) -> None:
    ws.world.users[ws.person("erin").id].deleted = True
    assert await directory.full_member(ws.person("alice").id)
    for barred in (ws.person("gina").id, ws.person("erin").id, ws.bot_user_id, "U0NOBODY"):
        assert not await directory.full_member(barred), barred


async def test_somebody_of_another_team_is_not_a_member(ws: PracticeWorkspace) -> None:
    client = AsyncWebClient(token=ws.bot_token, base_url=ws.api_url, retry_handlers=[])
    assert not await Directory(client, team="T0OTHER").full_member(ws.person("alice").id)


async def test_lookups_at_the_same_time_are_one_call_and_the_answer_is_kept(
    ws: PracticeWorkspace, directory: Directory, seconds: Seconds
) -> None:
    alice = ws.person("alice").id
    assert all(await asyncio.gather(*(directory.full_member(alice) for _ in range(20))))
    seconds.now += FRESH - 1
    await directory.full_member(alice)
    assert len(ws.record.calls("users.info")) == 1
    seconds.now += 2
    await directory.full_member(alice)
    assert len(ws.record.calls("users.info")) == 2


@pytest.mark.parametrize("kind", ["reset", "ratelimited", "status", "error"])
async def test_while_slack_does_not_answer_the_last_answer_counts_for_an_hour_and_then_nobody_does(
    ws: PracticeWorkspace, directory: Directory, seconds: Seconds, kind: str
) -> None:
    alice, bob = ws.person("alice").id, ws.person("bob").id
    assert await directory.full_member(alice)
    ws.faults.add(method="users.info", kind=kind, times=None)  # type: ignore[arg-type]
    assert not await directory.full_member(bob)
    seconds.now += STALE - 1
    assert await directory.full_member(alice)
    seconds.now += 2
    assert not await directory.full_member(alice)


async def test_a_member_who_became_a_guest_is_one_after_five_minutes(
    ws: PracticeWorkspace, directory: Directory, seconds: Seconds
) -> None:
    alice = ws.person("alice").id
    assert await directory.full_member(alice)
    ws.world.users[alice].is_restricted = True
    seconds.now += FRESH + 1
    assert not await directory.full_member(alice)
