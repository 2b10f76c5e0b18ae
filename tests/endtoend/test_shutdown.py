"""SIGTERM in the middle of work ends within ten seconds, cleanly, and what was in hand is there after the restart."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from bot.practice.server import PracticeWorkspace
from tests.process import Forked, running

from .conftest import key_of

ROOMS = 6


def rooms(workspace: PracticeWorkspace) -> Counter[str]:
    return Counter(one.name[:8] for one in workspace.channels() if one.name.startswith("inc-"))


def complete(workspace: PracticeWorkspace, numbers: range) -> bool:
    """Each incident has one room with card, panel and checklist."""
    for number in numbers:
        found = [one for one in workspace.channels() if one.name.startswith(f"inc-{number:04d}-")]
        if not found or len(workspace.messages(found[0])) < 3:
            return False
    return True


def doubled(workspace: PracticeWorkspace) -> dict[str, int]:
    posted = [key_of(m) for channel in workspace.channels() for m in workspace.messages(channel) if m.by_app]
    return {key: count for key, count in Counter(posted).items() if count > 1}


@pytest.mark.parametrize("after", [0.05, 0.6])
async def test_a_process_that_is_terminated_at_work_ends_soon_and_loses_nothing(tmp_path: Path, after: float) -> None:
    url = f"sqlite:///{tmp_path}/firsthour.db"
    async with PracticeWorkspace(latency=0.1) as workspace, httpx.AsyncClient(timeout=20) as http:
        bot = Forked(workspace, url, tmp_path / "log")
        await bot.start()
        for number in range(ROOMS):
            await bot.alert(http, app=f"app-{number}")
        await asyncio.sleep(after)  # not a wait for a condition: the instant of the signal is what varies
        began = time.monotonic()
        assert await bot.terminate() == 0, bot.log.read_text()[-3000:]
        assert time.monotonic() - began < 10
        await workspace.until(lambda: workspace.connected == 0)
        with sqlite3.connect(tmp_path / "firsthour.db") as database:
            left = database.execute("SELECT count(*) FROM intent WHERE state = 'sending'").fetchone()[0]
        database.close()
        assert left == 0, "what was in hand is finished or given back"
        assert "firsthour.stopped" in bot.log.read_text()
        async with running(workspace, url, tmp_path / "log", kind=Forked):
            await workspace.until(lambda: complete(workspace, range(1, ROOMS + 1)), timeout=40)
    assert set(rooms(workspace).values()) == {1}
    assert not doubled(workspace)


async def test_a_slack_that_hangs_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """Everything in hand waits for an answer that does not come."""
    url = f"sqlite:///{tmp_path}/firsthour.db"
    async with PracticeWorkspace() as workspace, httpx.AsyncClient(timeout=20) as http:
        bot = Forked(workspace, url, tmp_path / "log")
        await bot.start()
        workspace.faults.add(method="*", when="before", kind="delay", seconds=30, times=None)
        await bot.alert(http)
        asking = asyncio.create_task(workspace.person("alice").slash("general", "/incident list"))
        await workspace.until(lambda: workspace.record.envelopes and workspace.record.envelopes[-1].acked)
        began = time.monotonic()
        assert await bot.terminate() == 0
        assert time.monotonic() - began < 10
        await asking
        workspace.faults.clear()
        async with running(workspace, url, tmp_path / "log", kind=Forked):
            await workspace.until(lambda: complete(workspace, range(1, 2)), timeout=40)
    assert set(rooms(workspace).values()) == {1} and not doubled(workspace)


async def test_a_database_of_another_version_keeps_it_from_starting_and_says_the_command(tmp_path: Path) -> None:
    """A migration is missing: nothing is migrated by a start."""
    async with PracticeWorkspace() as workspace:
        bot = Forked(workspace, f"sqlite:///{tmp_path}/firsthour.db", tmp_path / "log")
        await bot.start()
        await bot.terminate()
        with sqlite3.connect(tmp_path / "firsthour.db") as database:
            database.execute("UPDATE alembic_version SET version_num = '0000'")
        database.close()
        with pytest.raises(AssertionError, match="the bot did not start") as refused:
            await bot.start()
        assert "at version 0000" in str(refused.value)
        assert "Traceback" not in str(refused.value)
