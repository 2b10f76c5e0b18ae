"""The process dies or is restarted in the middle: what was begun is completed once, what fell due is told once."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from bot.practice.arguments import Arguments
from bot.practice.server import PracticeWorkspace
from bot.practice.state import Channel, Message
from tests.process import Bot, Forked

from .conftest import key_of

CARD, PANEL, CHECKLIST = "show:{}:card:", "show:{}:panel:", "show:{}:checklist:triage"
STALLED = 60.0
"""Seconds for which Slack holds an answer back: the process is killed meanwhile."""
FAST = "120"
"""An hour in thirty seconds."""


@pytest.fixture
async def workspace() -> AsyncIterator[PracticeWorkspace]:
    async with PracticeWorkspace() as made:
        yield made


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=20) as client:
        yield client


@contextlib.asynccontextmanager
async def bot_of(workspace: PracticeWorkspace, folder: Path, **env: str) -> AsyncIterator[Bot]:
    bot = Forked(workspace, f"sqlite:///{folder / 'firsthour.db'}", folder / "log", **env)
    await bot.start()
    try:
        yield bot
    finally:
        await bot.terminate()


def _named(number: int) -> Callable[[Arguments], bool]:
    return lambda args: str(args.raw.get("name", "")).startswith(f"inc-{number:04d}-")


def _keyed(key: str) -> Callable[[Arguments], bool]:
    def mine(args: Arguments) -> bool:
        metadata = args.structure("metadata") or {}
        return bool(metadata.get("event_payload", {}).get("key") == key)

    return mine


async def test_a_process_killed_between_slack_and_its_own_commit_completes_every_room_once(
    tmp_path: Path, workspace: PracticeWorkspace, http: httpx.AsyncClient
) -> None:
    stall = {"kind": "delay", "seconds": STALLED}
    workspace.faults.add(method="conversations.create", when="after", where=_named(1), **stall)  # type: ignore[arg-type]
    workspace.faults.add(method="conversations.create", when="before", where=_named(2), **stall)  # type: ignore[arg-type]
    workspace.faults.add(method="chat.postMessage", when="after", where=_keyed(CARD.format(3)), **stall)  # type: ignore[arg-type]
    workspace.faults.add(method="chat.postMessage", when="before", where=_keyed(PANEL.format(3)), **stall)  # type: ignore[arg-type]
    workspace.faults.add(method="pins.add", when="after", times=1, **stall)  # type: ignore[arg-type]
    async with bot_of(workspace, tmp_path) as bot:
        for number in (1, 2, 3, 4):
            await bot.alert(http, subject={"kind": "user", "id": f"u{number}"}, app=f"app-{number}")
        await workspace.until(lambda: sum(rule.hits for rule in workspace.faults.rules) == 5, timeout=20)
        await bot.kill()
        workspace.faults.clear()
        await bot.start()
        for number in (1, 2, 3, 4):
            await workspace.until(lambda number=number: _whole(workspace, number), timeout=20)
            assert (await bot.alert(http, subject={"kind": "user", "id": f"u{number}"}, app=f"app-{number}"))[
                "status"
            ] == "attached"
        await workspace.until(lambda: all(_room(workspace, number).pins for number in (1, 2, 3, 4)), timeout=20)
    for number in (1, 2, 3, 4):
        assert len([c for c in workspace.channels() if c.name.startswith(f"inc-{number:04d}-")]) == 1
        assert len(_room(workspace, number).pins) == 1
        assert max(Counter(key_of(m) for m in workspace.messages(_room(workspace, number))).values()) == 1
    assert max(Counter(key_of(m) for m in workspace.messages("incidents")).values()) == 1


def _room(workspace: PracticeWorkspace, number: int) -> Channel:
    return next(one for one in workspace.channels() if one.name.startswith(f"inc-{number:04d}-"))


def _whole(workspace: PracticeWorkspace, number: int) -> bool:
    rooms = [one for one in workspace.channels() if one.name.startswith(f"inc-{number:04d}-")]
    keys = {key_of(m) for room in rooms for m in workspace.messages(room)}
    return {kind.format(number) for kind in (CARD, PANEL, CHECKLIST)} <= keys


async def test_the_first_hour_arrives_once_and_what_fell_due_meanwhile_is_one_catch_up(
    tmp_path: Path, workspace: PracticeWorkspace, http: httpx.AsyncClient
) -> None:
    config = tmp_path / "organisation.yaml"
    config.write_text("roster: {on_call: {people: [U0ALICE]}, engineering_lead: {people: [U0BOB]}}", encoding="utf-8")
    async with bot_of(workspace, tmp_path, FIRSTHOUR_SPEED=FAST, FIRSTHOUR_CONFIG=str(config)) as bot:
        await bot.alert(http)
        await workspace.until(lambda: _reminded(workspace, "command"), timeout=20)
        await bot.kill()
        before = {key_of(m) for m in _reminders(workspace)}
        await workspace.until(lambda: len(_overdue(tmp_path)) >= 3, timeout=20)
        missed = _overdue(tmp_path)
        await bot.start()
        caught_up = await workspace.until(lambda: _saying(workspace, "While Firsthour was away"), timeout=20)
        await workspace.until(lambda: workspace.messages(workspace.direct("alice")), timeout=20)
    said = _reminders(workspace)
    assert max(Counter(key_of(m) for m in said).values()) == 1 and before <= {key_of(m) for m in said}
    assert {key_of(m) for m in said} & missed <= {key_of(caught_up)}, "all of it in one message"
    assert "Still missing" in caught_up.plain() or "Nobody has acknowledged" in caught_up.plain()
    called = [m for m in workspace.messages(workspace.direct("alice")) if "Nobody has acknowledged" in m.plain()]
    assert len(called) == 1


def _reminders(workspace: PracticeWorkspace) -> list[Message]:
    return [m for m in workspace.messages(_room(workspace, 1)) if key_of(m).startswith("post:reminder:")]


def _reminded(workspace: PracticeWorkspace, window: str) -> bool:
    rooms = [one for one in workspace.channels() if one.name.startswith("inc-0001-")]
    return bool(rooms) and any(f":window_start:{window}:" in key_of(m) for m in _reminders(workspace))


def _saying(workspace: PracticeWorkspace, words: str) -> Message | None:
    return next((m for m in _reminders(workspace) if words in m.plain()), None)


def _overdue(folder: Path) -> set[str]:
    """What the stopped process should have told by now: the keys of its posts."""
    connection = sqlite3.connect(folder / "firsthour.db")
    try:
        rows = connection.execute("SELECT key, due_at FROM reminder WHERE state = 'pending'").fetchall()
    finally:
        connection.close()
    now = datetime.now(UTC).replace(tzinfo=None)
    return {f"post:reminder:{key}" for key, due in rows if datetime.fromisoformat(due).replace(tzinfo=None) < now}
