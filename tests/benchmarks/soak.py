"""Whether anything grows: steady alerts, commands and clicks, and what the process holds in the end and after its warm-up.

`make bench ARGS="soak 60"` takes an hour. Alerts attach to incidents that are open, as most do in a long night.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import httpx

from bot.practice.server import PracticeWorkspace
from tests.process import Bot, running

MINUTES = 2.0
WARM_UP = 0.25
"""Of the whole: after it every cache is filled."""
SUBJECTS = 5
EVERY = 0.2
"""Seconds between two rounds of one alert, one command and one click."""
PAGES_OF = 1024.0
STEADY = 0.05


async def measure(minutes: float = MINUTES) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            PracticeWorkspace() as workspace,
            running(workspace, f"sqlite:///{folder}/bench.db", Path(folder) / "log") as bot,
            httpx.AsyncClient(timeout=30) as http,
        ):
            rounds = await _load(workspace, bot, http, minutes * 60 * WARM_UP)
            warm = _held(bot)
            rounds += await _load(workspace, bot, http, minutes * 60 * (1 - WARM_UP))
            await asyncio.sleep(2)  # what is in hand ends
            end = _held(bot)
    growth = end["VmRSS"] / warm["VmRSS"] - 1
    return [
        f"{minutes:g} minutes, {rounds} rounds of an alert, a command and a click",
        f"resident memory     {warm['VmRSS'] / PAGES_OF:7.1f} → {end['VmRSS'] / PAGES_OF:7.1f} MiB   {growth:+.1%}"
        f"   (bar ± {STEADY:.0%})",
        f"file descriptors    {warm['descriptors']:5} → {end['descriptors']:5}",
        f"threads             {warm['Threads']:5} → {end['Threads']:5}",
    ]


async def _load(workspace: PracticeWorkspace, bot: Bot, http: httpx.AsyncClient, seconds: float) -> int:
    until, rounds = time.monotonic() + seconds, 0
    alice = workspace.person("alice")
    while time.monotonic() < until:
        user = f"soak-{rounds % SUBJECTS}"
        await bot.alert(http, subject={"kind": "user", "id": user}, app=user)
        await alice.slash("general", "/incident list")
        announced = workspace.messages("incidents")
        if announced:
            await alice.press("incidents", announced[0], "join")
        rounds += 1
        await asyncio.sleep(EVERY)
    return rounds


def _held(bot: Bot) -> dict[str, int]:
    """Of the bot's process: kibibytes of memory, threads, file descriptors."""
    process = Path("/proc") / str(bot.pid)
    lines = (line.split() for line in (process / "status").read_text().splitlines())
    held = {line[0].rstrip(":"): int(line[1]) for line in lines if line[0] in {"VmRSS:", "Threads:"}}
    return held | {"descriptors": len(list((process / "fd").iterdir()))}
