"""The bot starts while Slack is down: alerts are taken, and their rooms open once Slack is back."""

from __future__ import annotations

from pathlib import Path

import httpx

from bot.practice.server import PracticeWorkspace
from tests.process import Bot


async def test_a_start_while_slack_is_down_takes_alerts_and_opens_their_rooms_later(tmp_path: Path) -> None:
    async with PracticeWorkspace() as workspace, httpx.AsyncClient() as http:
        workspace.faults.add(method="*", when="before", kind="status", times=4)
        bot = Bot(workspace, f"sqlite:///{tmp_path / 'firsthour.db'}", tmp_path / "log")
        await bot.start()
        try:
            assert (await bot.alert(http))["status"] == "opened"
            await workspace.until(
                lambda: [c for c in workspace.channels() if c.name.startswith("inc-0001-")], timeout=30
            )
            await workspace.until(lambda: workspace.connected, timeout=30)
        finally:
            assert await bot.terminate() == 0
