"""What the gate adds to a call through a real LiteLLM proxy: the same proxy with and without it, in turns, in one run.

10,000 rules are in force, and each call is asked about twice, before and after the model. The model provider is ours, on
loopback, and answers at once: what is left is the proxy's own time, and the gate's share of it. Needs what
`make integration` prepares.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx

from bot.gate.rules import put
from bot.incident.policy import Wanted
from bot.incident.words import ActionKind, ScopeKind
from bot.store import Store, schema
from tests.benchmarks.stats import high
from tests.integration.calls import Client
from tests.integration.gate import TOKEN, Gate, policy_of
from tests.integration.systems import litellm, upstream
from tests.integration.systems.litellm import CLOSED, LiteLLM
from tests.integration.systems.process import Missing

WARM = 40
CALLS = 200
"""Of each kind, one after the other, and again several at a time."""
AT_ONCE = 8
RULES = 10_000
KINDS = {"without the gate": [], "with the gate": [CLOSED]}


async def measure() -> list[str]:
    with tempfile.TemporaryDirectory(prefix="firsthour-gateway-") as folder:
        database = f"sqlite:///{folder}/gate.db"
        await _prepare(database)
        try:
            with _started(Path(folder), database) as (proxy, gate):
                async with policy_of(gate, database, 2) as policy, _client(proxy) as client:
                    await policy.put(ActionKind.BLOCK_USER, ScopeKind.USER, "mallory")
                    assert (await client.ask("mallory")).status_code == 400, "the gate is not asked"
                    return await _measured(client)
        except Missing as error:
            return [f"not run: {error}"]


async def _measured(client: Client) -> list[str]:
    await _calls(client, WARM, 1)
    rows = []
    for at_once in (1, AT_ONCE):
        taken = await _calls(client, CALLS, at_once)
        without, with_gate = taken["without the gate"], taken["with the gate"]
        added = statistics.median(with_gate) - statistics.median(without)
        rows += [
            f"{at_once} at a time, {kind:<16}  median {statistics.median(t):6.1f} ms  p95 {high(t, 95):6.1f} ms"
            for kind, t in taken.items()
        ]
        ratio = statistics.median(with_gate) / statistics.median(without)
        p95 = high(with_gate, 95) - high(without, 95)
        rows.append(f"{at_once} at a time, added             median {added:6.1f} ms  p95 {p95:6.1f} ms  {ratio:.2f} ×")
    return rows


async def _calls(client: Client, count: int, at_once: int) -> dict[str, list[float]]:
    """Milliseconds. In turns of random order, so that whatever else the machine does meets both kinds alike."""
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    chance, left = random.Random(4), iter(range(count))

    async def caller() -> None:
        for _ in left:
            for kind in chance.sample(list(KINDS), len(KINDS)):
                began = time.perf_counter()
                answered = await client.ask("alice", "hello", guardrails=KINDS[kind])
                taken[kind].append((time.perf_counter() - began) * 1e3)
                assert answered.status_code == 200, answered.text

    await asyncio.gather(*(caller() for _ in range(at_once)))
    return taken


async def _prepare(database: str) -> None:
    """A database with so many rules on users who do not call."""
    store = Store(database)
    await schema.upgrade(store)
    async with store.unit() as unit:
        for number in range(RULES):
            user = f"user-{number}"
            wanted = Wanted(f"INC-1:1:user/{user}", 1, ActionKind.BLOCK_USER, ScopeKind.USER, user)
            await put(unit, wanted)
    await store.close()


@contextlib.contextmanager
def _started(home: Path, database: str) -> Iterator[tuple[LiteLLM, Gate]]:
    with contextlib.closing(Gate(home / "gate", database)) as gate, upstream.running(home / "upstream") as provider:
        gate.start()
        with litellm.running(home / "litellm", provider.url, gate.url, TOKEN) as proxy:
            yield proxy, gate


@contextlib.asynccontextmanager
async def _client(proxy: LiteLLM) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {proxy.key}"}
    async with httpx.AsyncClient(base_url=proxy.url, headers=headers, timeout=30, trust_env=False) as http:
        yield Client(http)
