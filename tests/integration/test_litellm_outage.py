"""The gate goes away under LiteLLM's feet: what callers get meanwhile, how long they wait, and what holds afterwards."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from bot.incident.words import ActionKind, ScopeKind
from tests.integration.calls import Client
from tests.integration.gate import Gate, Policy
from tests.integration.systems.litellm import CLOSED, OPEN
from tests.integration.systems.upstream import MARK, Upstream

CALLERS = 4
"""Of each kind, all the time."""
PATIENCE = 15.0
"""Seconds that a client waits; the proxy itself waits three for the gate."""


async def test_without_the_gate_calls_pass_or_do_not_as_the_proxy_was_told(
    client: Client, policy: Policy, gate: Gate, upstream: Upstream, user: str, other: str
) -> None:
    await policy.put(ActionKind.BLOCK_USER, ScopeKind.USER, user)
    gate.kill()
    try:
        assert (await client.ask(other, guardrails=[CLOSED])).status_code == 500
        assert upstream.seen(other) == []
        assert MARK in (await client.ask(other, guardrails=[OPEN])).text
        assert MARK in await client.stream(other, guardrails=[OPEN])
    finally:
        await asyncio.to_thread(gate.start)
    for guardrail in (CLOSED, OPEN):
        assert (await client.ask(user, guardrails=[guardrail])).status_code == 400
        assert MARK in (await client.ask(other, guardrails=[guardrail])).text


async def test_a_gate_killed_and_started_again_under_load_leaves_nobody_waiting_and_the_block_in_force(
    client: Client, policy: Policy, gate: Gate, upstream: Upstream, user: str, other: str
) -> None:
    await policy.put(ActionKind.BLOCK_USER, ScopeKind.USER, user)
    over = asyncio.Event()
    answered: dict[str, Counter[int]] = {user: Counter(), other: Counter()}
    longest = 0.0

    async def call(name: str) -> None:
        nonlocal longest
        while not over.is_set():
            began = time.monotonic()
            async with asyncio.timeout(PATIENCE):
                response = await client.ask(name)
            longest = max(longest, time.monotonic() - began)
            answered[name][response.status_code] += 1

    async def has(name: str, status: int, more: int) -> None:
        wanted = answered[name][status] + more
        async with asyncio.timeout(60):
            while answered[name][status] < wanted:
                await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as group:
        for name in (user, other):
            for _ in range(CALLERS):
                group.create_task(call(name))
        try:
            for end in (gate.kill, gate.stop):
                await has(other, 200, 5)
                await asyncio.to_thread(end)
                await has(other, 500, 2)
                await asyncio.to_thread(gate.start)
            await has(other, 200, 5)
            await has(user, 400, 5)
        finally:
            over.set()
    print(
        f"answered {dict(answered[user])} to the blocked, {dict(answered[other])} to the other, longest {longest:.1f} s"
    )
    assert answered[user][200] == 0 and upstream.seen(user) == []
    assert set(answered[other]) == {200, 500}
    assert longest < PATIENCE
