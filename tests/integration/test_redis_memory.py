"""The memory connector against Valkey, and against Debian's Redis where the machine has it: the checks of make test."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.connectors.conformance import PROMISES, Promise, name_of, timeout_for
from bot.connectors.contract import Effect
from bot.incident.words import ScopeKind
from tests.connectors.redis_system import case, connected, flush, memory
from tests.integration.systems.process import started
from tests.integration.systems.valkey import Valkey
from tests.ports import free_port

E = Effect


@pytest.fixture(scope="module", params=["valkey", "redis"])
def memory_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of these tests' own: they remove everything in it."""
    with contextlib.ExitStack() as stack:
        if request.param == "valkey":
            shared: Valkey = request.getfixturevalue("valkey")
            yield shared.url
        elif (program := shutil.which("redis-server")) is None:
            pytest.skip("redis-server is not installed on this machine (Valkey ran the same checks)")
        else:
            yield stack.enter_context(_redis(program, tmp_path_factory.mktemp("redis")))


@contextlib.contextmanager
def _redis(program: str, home: Path) -> Iterator[str]:
    port = free_port()
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(home)]
    with started("redis", [program, *options], home) as process:
        process.wait_until(lambda: "Ready to accept connections" in process.tail())
        yield f"redis://127.0.0.1:{port}/0"


@pytest.mark.parametrize("promise", PROMISES, ids=name_of)
async def test_it_keeps_its_promises(memory_url: str, promise: Promise) -> None:
    async with case(memory_url, timeout_for(promise)) as one:
        await promise(one)


@pytest.fixture
async def db(memory_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(memory_url) as opened:
        yield opened


async def test_a_users_five_hundred_keys_among_twenty_thousand_go_and_come_back(memory_url: str, db: Redis) -> None:
    async with memory(memory_url) as system:
        await db.mset({f"chat:user-{number % 40}:{number}": f"said {number}" for number in range(20_000)})
        connector = connected(system, user_keys=["chat:{user}:*"])
        order = flush("user-7", ScopeKind.USER)
        captured = await connector.snapshot(order)
        assert (await connector.apply(order)).detail == "memory put aside 500 keys."
        assert (await connector.verify(order)).effect is E.VERIFIED
        assert len(await db.keys("chat:*")) == 19_500
        assert (await connector.revert(order, captured.snapshot)).effect is E.APPLIED
        assert len(await db.keys("chat:user-7:*")) == 500 and await db.get("chat:user-7:47") == b"said 47"
        await connector.close()
