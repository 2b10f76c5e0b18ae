"""The bot as a process of its own, for tests that kill it and for benchmarks.

Decides how it is started: `Bot` as a user starts it, `Forked` from a process that has imported it already.

`PracticeWorkspace` stays in the test's process, so that it remembers what a killed bot did.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import httpx

from bot.practice.server import PracticeWorkspace
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
TOKEN = "ingest-token-of-a-test"
STARTS_WITHIN = 60.0
"""Seconds. Two to three on a machine of its own; tests share theirs."""


class Process(Protocol):
    """What is asked of a started process; `asyncio.subprocess.Process` is one."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def kill(self) -> None: ...
    def send_signal(self, signal: int, /) -> None: ...
    async def wait(self) -> int: ...


class Bot:
    """One `firsthour run`, started as a user starts it."""

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
            "FIRSTHOUR_EVIDENCE": str(Path(log).parent / "evidence"),  # one that all processes of a test share
            "FIRSTHOUR_EVENTS": f"{log}.events",  # of each process its own, wherever its store is
            "FIRSTHOUR_LOG": "json",
            **env,
        }
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: Process | None = None

    async def start(self) -> None:
        """Returns once `/readyz` says so."""
        await self.spawn()
        await self.ready()

    async def spawn(self) -> None:
        """Begin to start, and no more: it may be killed while it starts."""
        self._process = await self._begun()

    async def _begun(self) -> Process:
        with self.log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
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


class Forked(Bot):
    """One `firsthour run` that finds everything imported: all that it does itself is the same, two seconds earlier."""

    async def _begun(self) -> Process:
        if not hasattr(os, "pidfd_open"):  # Linux alone has them
            return await super()._begun()
        order = {"arguments": ["run"], "env": self._env, "folder": str(ROOT), "log": str(self.log)}
        return _Child(_nursery(), _ask(_nursery(), order))


class _Child:
    def __init__(self, nursery: subprocess.Popen[str], pid: int) -> None:
        self.pid = pid
        self._nursery, self._ended = nursery, os.pidfd_open(pid)
        self._returncode: int | None = None

    @property
    def returncode(self) -> int | None:
        if self._returncode is None and select.select([self._ended], [], [], 0)[0]:
            self._returncode = _ask(self._nursery, {"ended": self.pid})
            os.close(self._ended)
        return self._returncode

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, signal: int, /) -> None:
        if self.returncode is None:
            os.kill(self.pid, signal)

    async def wait(self) -> int:
        if self.returncode is None:
            loop, over = asyncio.get_running_loop(), asyncio.Event()
            loop.add_reader(self._ended, over.set)
            try:
                await over.wait()
            finally:
                loop.remove_reader(self._ended)
        assert self.returncode is not None
        return self.returncode


@functools.cache
def _nursery() -> subprocess.Popen[str]:
    """One for all tests of this process. It ends with its standard input: when this process does."""
    command = [sys.executable, "-m", "tests.nursery"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _ask(nursery: subprocess.Popen[str], order: dict[str, Any]) -> int:
    assert nursery.stdin is not None and nursery.stdout is not None
    nursery.stdin.write(json.dumps(order) + "\n")
    nursery.stdin.flush()
    return int(nursery.stdout.readline())


@contextlib.asynccontextmanager
async def running(
    workspace: PracticeWorkspace, database_url: str, log: Path, *, kind: type[Bot] = Bot, **env: str
) -> AsyncIterator[Bot]:
    bot = kind(workspace, database_url, log, **env)
    await bot.start()
    try:
        yield bot
    finally:
        await bot.terminate()
