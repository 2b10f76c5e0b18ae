"""The recipes of the pages, as a reader copies them, against a real `firsthour run`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.practice.server import PracticeWorkspace
from tests.integration.inbox import TOKEN, WITHIN
from tests.integration.recipes import recipe
from tests.ports import free_port
from tests.process import Bot


@contextlib.asynccontextmanager
async def firsthour(home: Path, port: int | None = None) -> AsyncIterator[Bot]:
    """One that nobody configured further. `port`: where somebody posts to already."""
    async with PracticeWorkspace() as workspace:
        database, port = f"sqlite:///{home / 'firsthour.db'}", port or free_port()
        env = {"FIRSTHOUR_INGEST_TOKEN": TOKEN, "FIRSTHOUR_HTTP": f"127.0.0.1:{port}"}
        bot = Bot(workspace, database, home / "log", **env)
        bot.url = f"http://127.0.0.1:{port}"
        await bot.start()
        try:
            yield bot
        finally:
            assert await bot.terminate() == 0


async def measured(bot: Bot, series: str, at_least: float) -> None:
    """Wait until `/metrics` says so. `series`: with all its labels, in their order."""
    line = re.compile(rf"^{re.escape(series)} (\S+)$", re.MULTILINE)
    until = time.monotonic() + WITHIN
    async with httpx.AsyncClient(trust_env=False) as http:
        while True:
            told = (await http.get(f"{bot.url}/metrics")).text
            if (found := line.search(told)) is not None and float(found[1]) >= at_least:
                return
            some = "\n".join(re.findall(rf"^{series.partition('{')[0]}.*$", told, re.MULTILINE))
            assert time.monotonic() < until, f"{series} is not {at_least} within {WITHIN:.0f} s:\n{some}"
            await asyncio.sleep(0.1)


async def shell(command: str) -> str:
    """What `sh` prints for it; stops where it fails."""
    env = {"PATH": os.environ["PATH"], "FIRSTHOUR_INGEST_TOKEN": TOKEN}
    running = await asyncio.create_subprocess_exec(
        "sh", "-ec", command, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(running.communicate(), 30)
    assert running.returncode == 0, err.decode()
    return out.decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_both_curls_are_taken_and_the_leak_of_the_readme_opens_an_incident(tmp_path: Path) -> None:
    async with firsthour(tmp_path) as bot:
        for page in ("docs/events.md", "README.md"):
            command = recipe(page, "curl", holds="/events", address=bot.url, token=TOKEN)
            assert await shell(command) == '{"accepted":1,"duplicates":0,"rejected":[]}', page
        opened = 'firsthour_findings_total{outcome="opened",trigger="credential_leakage_confirmed"}'
        await measured(bot, opened, 1)
