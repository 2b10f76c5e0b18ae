"""Row 2 of the bars: the acknowledgement of a slash command or a click, alone and 200 at once during a burst of alerts.

Measured by the practice workspace: from writing the envelope to the socket until its acknowledgement arrives.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from bot.practice.server import PracticeWorkspace
from tests.process import Bot, running

ALONE, AT_ONCE, ALERTS = 200, 200, 30
LATENCY = 0.1


async def measure() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            PracticeWorkspace(latency=LATENCY) as workspace,
            running(workspace, f"sqlite:///{folder}/bench.db", Path(folder) / "log") as bot,
            httpx.AsyncClient(timeout=30) as http,
        ):
            await workspace.person("alice").slash("general", "/incident list")
            slash, click = _slash(workspace), await _click(workspace, bot, http)
            rows = []
            for name, act in (("slash command", slash), ("click", click)):
                rows.append(_row(f"{name}, alone", await _acks(workspace, _one_by_one(act)), "p99 < 20 ms"))
            burst = asyncio.gather(*(_burst(bot, http, number) for number in range(ALERTS)))
            mixed = [act() for number in range(AT_ONCE) for act in [(slash, click)[number % 2]]]
            rows.append(
                _row(
                    "200 at once, 30 alerts", await _acks(workspace, asyncio.gather(*mixed)), "p99 < 100 ms, max < 1 s"
                )
            )
            await burst
    return rows


async def _one_by_one(act: Callable[[], Awaitable[object]]) -> None:
    for _ in range(ALONE):
        await act()


async def _burst(bot: Bot, http: httpx.AsyncClient, number: int) -> None:
    await bot.alert(http, title="Burst", subject={"kind": "user", "id": f"burst-{number}"}, app=f"app-{number}")


def _slash(workspace: PracticeWorkspace) -> Callable[[], Awaitable[object]]:
    return lambda: workspace.person("alice").slash("general", "/incident list")


async def _click(workspace: PracticeWorkspace, bot: Bot, http: httpx.AsyncClient) -> Callable[[], Awaitable[object]]:
    await bot.alert(http, subject={"kind": "user", "id": "clicked"})
    announced = await workspace.until(lambda: workspace.messages("incidents"))
    return lambda: workspace.person("alice").press("incidents", announced[0], "join")


async def _acks(workspace: PracticeWorkspace, acts: Awaitable[object]) -> list[float]:
    before = len(workspace.record.acks)
    await acts
    return [ack.seconds * 1000 for ack in workspace.record.acks[before:]]


def _row(name: str, acks: list[float], bar: str) -> str:
    p99 = statistics.quantiles(acks, n=100)[98]
    return f"{name:24} n {len(acks):4}  p50 {statistics.median(acks):6.1f}  p99 {p99:6.1f}  max {max(acks):6.1f} ms  ({bar})"
