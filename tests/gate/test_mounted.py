"""`firsthour run` with FIRSTHOUR_GATE_TOKEN: the gate beside the bot, on its own address."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from bot.app import Firsthour
from bot.environment import read_settings
from bot.practice.server import PracticeWorkspace
from tests.gate.asking import TOKEN
from tests.gate.policy import put


async def test_the_bot_brings_its_gate_where_there_is_a_token_for_it(tmp_path: Path) -> None:
    async with PracticeWorkspace() as workspace:
        env = {
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_APP_TOKEN": workspace.app_token,
            "SLACK_API_URL": workspace.api_url,
            "DATABASE_URL": f"sqlite:///{tmp_path / 'firsthour.db'}",
            "FIRSTHOUR_HTTP": "127.0.0.1:0",
            "FIRSTHOUR_GATE": "127.0.0.1:0",
            "FIRSTHOUR_GATE_TOKEN": TOKEN,
        }
        house = Firsthour(read_settings(env), env=env)
        await house.start()
        try:
            assert house.gate is not None and house.gate.port != house.port
            await put(house.store, "mallory")
            async with httpx.AsyncClient(headers={"x-api-key": TOKEN}) as http:
                address = f"http://127.0.0.1:{house.gate.port}/decide"
                async with asyncio.timeout(10):
                    while (told := (await http.post(address, json={"user": "mallory"})).json())["allow"]:
                        await asyncio.sleep(0.01)
        finally:
            await house.stop()
    assert told["incident"] == "INC-12"
