"""The bot as a process of its own, started as a user starts it: for tests that kill it and for benchmarks.

`PracticeWorkspace` stays in the test's process, so that it remembers what a killed bot did.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from bot.practice.server import PracticeWorkspace

ROOT = Path(__file__).resolve().parents[1]
TOKEN = "ingest-token-of-a-test"
STARTS_WITHIN = 60.0
"""Seconds. Two to three on a machine of its own; tests share theirs."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


class Bot:
    """One `firsthour run`."""

    def __init__(self, workspace: PracticeWorkspace, database_url: str, log: Path, **env: str) -> None:
        self.port = free_port()
        self.log = log
        proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
        self._env = {name: value for name, value in os.environ.items() if name not in proxies}
        self._env |= {
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_APP_TOKEN": workspace.app_token,
            "SLACK_API_URL": workspace.api_url,
            "DATABASE_URL": database_url,
            "FIRSTHOUR_HTTP": f"127.0.0.1:{self.port}",
            "FIRSTHOUR_INGEST_TOKEN": TOKEN,
            "FIRSTHOUR_EVENTS": f"{log}.events",  # of each process its own, wherever its store is
            "FIRSTHOUR_LOG": "json",
            **env,
        }
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns once `/readyz` says so."""
        await self.spawn()
        await self.ready()

    async def spawn(self) -> None:
        """Begin to start, and no more: it may be killed while it starts."""
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", cwd=ROOT, env=self._env, stdout=output, stderr=output
            )

    async def ready(self) -> None:
        assert self._process is not None
        async with asyncio.timeout(STARTS_WITHIN), httpx.AsyncClient() as client:
            while True:
                if self._process.returncode is not None:
                    raise AssertionError(f"the bot did not start:\n{self.log.read_text()[-3000:]}")
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self.url}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.05)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def kill(self) -> None:
        """SIGKILL, at once."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def terminate(self) -> int:
        """SIGTERM; returns the exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self._process.wait(), 15)

    async def alert(self, client: httpx.AsyncClient, **fields: object) -> dict[str, str]:
        body = {"trigger": "credential_leakage_confirmed", "title": "A credential was delivered", **fields}
        response = await client.post(f"{self.url}/alerts", json=body, headers={"Authorization": f"Bearer {TOKEN}"})
        response.raise_for_status()
        answer: dict[str, str] = response.json()
        return answer


@contextlib.asynccontextmanager
async def running(workspace: PracticeWorkspace, database_url: str, log: Path, **env: str) -> AsyncIterator[Bot]:
    bot = Bot(workspace, database_url, log, **env)
    await bot.start()
    try:
        yield bot
    finally:
        await bot.terminate()
