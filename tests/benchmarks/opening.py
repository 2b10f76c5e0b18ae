"""Row 1 of the bars: alert accepted → card, panel and checklist readable, with 100 ms per Slack call.

The floor is two calls in a row (the channel, then a message in it), made by the same client library against the same
practice workspace in the same run, alternating with the alerts.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

import aiohttp
import httpx
from slack_sdk.web.async_client import AsyncWebClient

from bot.practice.server import PracticeWorkspace
from tests.process import running

ROUNDS = 15
LATENCY = 0.1
IN_THE_ROOM = 3
"""card, panel, checklist"""


async def measure() -> list[str]:
    opened, accepted, floors = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        async with (
            PracticeWorkspace(latency=LATENCY) as workspace,
            running(workspace, f"sqlite:///{folder}/bench.db", Path(folder) / "log") as bot,
            httpx.AsyncClient() as http,
            aiohttp.ClientSession() as session,
        ):
            client = AsyncWebClient(workspace.bot_token, workspace.api_url, session=session)
            for number in range(ROUNDS + 1):
                floor = await _floor(client, number)
                began = time.perf_counter()
                answer = await bot.alert(http, subject={"kind": "user", "id": f"u{number}"}, app=f"app-{number}")
                taken = time.perf_counter()
                await workspace.until(partial(_readable, workspace, answer["incident"]))
                done = time.perf_counter()
                if number:  # the first warms everything up
                    floors.append(floor)
                    accepted.append(taken - began)
                    opened.append(done - taken)
                await asyncio.sleep(0.3)  # lets the side calls of this room end
    ratios = [took / floor for took, floor in zip(opened, floors, strict=True)]
    return [
        f"floor, two calls in a row      median {statistics.median(floors) * 1000:6.1f} ms",
        f"alert answered with 202        median {statistics.median(accepted) * 1000:6.1f} ms",
        f"card, panel, checklist shown   median {statistics.median(opened) * 1000:6.1f} ms",
        f"ratio to the floor             median {statistics.median(ratios):6.2f} ×"
        f"   min {min(ratios):.2f}, max {max(ratios):.2f} ×   (bar 1.5 ×)",
    ]


async def _floor(client: AsyncWebClient, number: int) -> float:
    began = time.perf_counter()
    made = await client.conversations_create(name=f"floor-{number}", is_private=True)
    await client.chat_postMessage(channel=made["channel"]["id"], text="floor")
    return time.perf_counter() - began


def _readable(workspace: PracticeWorkspace, incident: str) -> bool:
    prefix = f"inc-{int(incident.removeprefix('INC-')):04d}-"
    rooms = [channel for channel in workspace.channels() if channel.name.startswith(prefix)]
    return bool(rooms) and len(workspace.messages(rooms[0])) >= IN_THE_ROOM
