"""Two gates as a large deployment runs them, on PostgreSQL and with Valkey: one policy, one count, each with its own copy."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from bot.incident.words import ActionKind, ScopeKind
from tests.integration.gate import TOKEN, Gate, Policy, policy_of
from tests.integration.systems.valkey import Valkey

ROUNDS = 10


@pytest.fixture
def gates(tmp_path: Path, postgres: str, postgres_url: str, valkey: Valkey) -> Iterator[list[Gate]]:
    made = [Gate(tmp_path / name, postgres_url, REDIS_URL=valkey.url) for name in ("one", "two")]
    with ExitStack() as stack:
        for gate in made:
            stack.callback(gate.stop)
            gate.start()
        yield made


@pytest.fixture
async def shared(gates: list[Gate], postgres_url: str) -> AsyncIterator[Policy]:
    """The policy of both, verified at the first and by what the second says of itself."""
    async with policy_of(gates[0], postgres_url, 1) as policy:
        yield policy


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=10, headers={"X-Api-Key": TOKEN}) as client:
        yield client


async def decide(http: httpx.AsyncClient, gate: Gate, user: str) -> str:
    answer = await http.post(f"{gate.url}/decide", json={"user": user})
    return str(answer.json()["outcome"])


async def test_an_action_is_verified_once_every_gate_holds_it(
    gates: list[Gate], shared: Policy, http: httpx.AsyncClient
) -> None:
    order = await shared.put(ActionKind.BLOCK_USER, ScopeKind.USER, "mallory")
    assert [await decide(http, gate, "mallory") for gate in gates] == ["refused", "refused"]
    assert [await decide(http, gate, "alice") for gate in gates] == ["allowed", "allowed"]
    await shared.revert(order)
    assert [await decide(http, gate, "mallory") for gate in gates] == ["allowed", "allowed"]


async def test_a_rate_limit_is_one_count_for_all_gates(
    gates: list[Gate], shared: Policy, http: httpx.AsyncClient
) -> None:
    """A gate waits 50 ms for Valkey and then counts by itself, and says so: on a busy machine that round is made again."""
    for number in range(ROUNDS):
        user = f"mallory-{number}"
        await shared.put(ActionKind.RATE_LIMIT, ScopeKind.USER, user)
        before = await alone(http, gates)
        said = Counter(await asyncio.gather(*(decide(http, gate, user) for gate in gates * 10)))
        assert said["allowed"] + said["limited"] == 20 and said["allowed"] <= 1 + len(gates)
        if await alone(http, gates) == before:
            assert said["allowed"] == 1
            return
    pytest.fail(
        f"in each of {ROUNDS} rounds a gate counted by itself: Valkey does not answer, or the machine stands still"
    )


async def alone(http: httpx.AsyncClient, gates: list[Gate]) -> float:
    """How many calls the gates counted without Valkey."""
    found = 0.0
    for gate in gates:
        lines = (await http.get(f"{gate.url}/metrics")).text.splitlines()
        found += sum(float(line.split()[-1]) for line in lines if line.startswith("firsthour_gate_limited_alone_total"))
    return found
