"""The gate as it is started: alone beside the bot's store, with the store away, killed and restarted under load, mounted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.gate.process import RunningGate
from bot.gate.rules import StoredPolicy
from bot.incident.errors import Misconfigured
from bot.settings import GateSettings, Settings
from bot.store import Store
from tests.gate.asking import TOKEN
from tests.gate.policy import put
from tests.ports import free_port
from tests.process import ROOT, STARTS_WITHIN

CLIENTS_WAIT = 2.0
"""Seconds: the time-out of those who ask."""


class Alone:
    """One `firsthour gate`."""

    def __init__(self, database_url: str, log: Path, port: int = 0) -> None:
        self.url = f"http://127.0.0.1:{port or free_port()}"
        self.log = log
        self._env = {"PATH": os.environ["PATH"], "DATABASE_URL": database_url, "FIRSTHOUR_GATE_TOKEN": TOKEN,
                     "FIRSTHOUR_GATE": self.url.removeprefix("http://"), "FIRSTHOUR_LOG": "json"}  # fmt: skip
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns once it answers."""
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "gate", cwd=ROOT, env=self._env, stdout=output, stderr=output
            )
        async with asyncio.timeout(STARTS_WITHIN), httpx.AsyncClient() as client:
            while True:
                assert self._process.returncode is None, self.log.read_text()[-3000:]
                with contextlib.suppress(httpx.TransportError):
                    await client.get(f"{self.url}/healthz")
                    return
                await asyncio.sleep(0.02)

    async def end(self, *, kill: bool = False) -> int:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill() if kill else self._process.terminate()
        return await asyncio.wait_for(self._process.wait(), 15)


class Client:
    """Somebody who asks all the time, as mallory, and will not wait for ever."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: list[bool] = []
        self.unanswered = 0
        self.refused = 0

    async def ask(self, over: asyncio.Event) -> None:
        while not over.is_set():
            async with httpx.AsyncClient(timeout=CLIENTS_WAIT, headers={"x-api-key": TOKEN}) as http:
                try:
                    while not over.is_set():
                        response = await http.post(f"{self.url}/decide", json={"user": "mallory"})
                        self.answers.append(response.json()["allow"])
                except httpx.TimeoutException:
                    self.unanswered += 1
                except httpx.TransportError:
                    self.refused += 1
                    await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def asking(url: str, count: int = 4) -> AsyncIterator[list[Client]]:
    clients, over = [Client(url) for _ in range(count)], asyncio.Event()
    asked = [asyncio.ensure_future(client.ask(over)) for client in clients]
    try:
        yield clients
    finally:
        over.set()
        await asyncio.gather(*asked)


async def _answered(clients: list[Client]) -> None:
    before = [len(client.answers) for client in clients]
    await _until(lambda: all(len(c.answers) > n + 5 for c, n in zip(clients, before, strict=True)))


async def test_a_gate_that_ends_under_load_leaves_no_client_waiting_and_its_block_holds_afterwards(
    sqlite_url: str, tmp_path: Path
) -> None:
    store = Store(sqlite_url)
    await put(store, "mallory")
    gate = Alone(sqlite_url, tmp_path / "log")
    await gate.start()
    try:
        async with asking(gate.url) as clients:
            await _answered(clients)
            assert await gate.end(kill=True) == -9
            await gate.start()
            await _answered(clients)
            assert await gate.end() == 0, gate.log.read_text()[-3000:]
    finally:
        await gate.end()
        await store.close()
    assert sum(client.unanswered for client in clients) == 0
    assert not any(allowed for client in clients for allowed in client.answers)
    assert sum(client.refused for client in clients) > 0, "it was not restarted under load"
    log = gate.log.read_text()
    assert "mallory" not in log and TOKEN not in log


async def test_a_gate_starts_without_its_store_and_lets_nobody_pass(tmp_path: Path) -> None:
    gate = Alone(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing", tmp_path / "log")
    await gate.start()
    try:
        async with httpx.AsyncClient(base_url=gate.url, headers={"x-api-key": TOKEN}) as http:
            decided = (await http.post("/decide", json={"user": "alice"})).json()
            ready = await http.get("/readyz")
    finally:
        assert await gate.end() == 0
    assert (decided["outcome"], decided["status"], ready.status_code) == ("unknown", 503, 503)


async def test_a_gate_in_the_bots_process_follows_what_the_bot_decides(sqlite_store: Store) -> None:
    async with mounted(sqlite_store) as (_, http):
        assert (await decide(http, "mallory"))["allow"]
        rule = await put(sqlite_store, "mallory")
        await _until_async(lambda: _allowed(http, "mallory"), wanted=False)
        await StoredPolicy(sqlite_store).remove(rule.key)
        await _until_async(lambda: _allowed(http, "mallory"), wanted=True)


async def test_without_a_token_there_is_no_gate(sqlite_store: Store) -> None:
    with pytest.raises(Misconfigured, match="FIRSTHOUR_GATE_TOKEN is not set"):
        RunningGate(sqlite_store, Settings.model_validate({}), GateSettings())


async def test_an_address_that_is_taken_is_named_with_its_setting(sqlite_store: Store) -> None:
    async with mounted(sqlite_store) as (gate, _):
        other = RunningGate(sqlite_store, _settings(gate.port), GateSettings())
        with pytest.raises(Misconfigured, match="FIRSTHOUR_GATE names"):
            await other.start()
        await other.stop()


@contextlib.asynccontextmanager
async def mounted(store: Store) -> AsyncIterator[tuple[RunningGate, httpx.AsyncClient]]:
    gate = RunningGate(store, _settings(0), GateSettings())
    await gate.start()
    try:
        url = f"http://127.0.0.1:{gate.port}"
        async with httpx.AsyncClient(base_url=url, headers={"x-api-key": TOKEN}) as http:
            yield gate, http
    finally:
        await gate.stop()
        await store.close()


def _settings(port: int) -> Settings:
    return Settings.model_validate({"FIRSTHOUR_GATE": f"127.0.0.1:{port}", "FIRSTHOUR_GATE_TOKEN": TOKEN})


async def decide(http: httpx.AsyncClient, user: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await http.post("/decide", json={"user": user})).json()
    return answer


async def _allowed(http: httpx.AsyncClient, user: str) -> bool:
    return bool((await decide(http, user))["allow"])


async def _until(condition: Any) -> None:
    async with asyncio.timeout(STARTS_WITHIN):
        while not condition():
            await asyncio.sleep(0.01)


async def _until_async(ask: Any, *, wanted: bool) -> None:
    async with asyncio.timeout(10):
        while await ask() is not wanted:
            await asyncio.sleep(0.01)
