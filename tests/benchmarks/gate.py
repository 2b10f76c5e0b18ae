"""The gate: what one decision costs with 10, 10,000 and 100,000 rules, and how many a second HTTP takes on one core.

Beside the floor of the same run: the same server answering as much JSON without looking at the question. The bars of the
containment issue: p99 of a decision below 1 ms, cost flat in the number of rules, 5,000 decisions a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from bot.gate.caller import Caller
from bot.incident.words import ScopeKind
from tests.benchmarks.gate_server import TOKEN, gate_of
from tests.benchmarks.stats import high
from tests.ports import free_port
from tests.process import ROOT

COUNTS = (10, 10_000, 100_000)
DECISIONS = 20_000
HELD = 10_000
STRANGERS = 1_000_000
CONNECTIONS = 32
SECONDS = 3.0
ROUNDS = 3


async def measure() -> list[str]:
    rows = await _decisions()
    return rows + await asyncio.to_thread(_over_http)


async def _decisions() -> list[str]:
    """In turns, so that whatever else the machine does meets all of them alike."""
    gates = {count: gate_of(count) for count in COUNTS}
    taken: dict[int, list[float]] = {count: [] for count in COUNTS}
    chance = random.Random(4)
    for _ in range(DECISIONS // 100):
        for count, gate in gates.items():
            for caller in [_caller(chance, count) for _ in range(100)]:
                began = time.perf_counter()
                await gate.decide(caller)
                taken[count].append((time.perf_counter() - began) * 1e6)
    few = statistics.median(taken[COUNTS[0]])
    return [
        f"{count:>7} rules  p50 {statistics.median(t):5.1f} µs  p99 {high(t, 99):6.1f} µs  p99.9 {high(t, 99.9):6.1f} µs  "
        f"{statistics.median(t) / few:4.2f} × ten rules  (p99 < 1000 µs, flat)"
        for count, t in taken.items()
    ]


def _caller(chance: random.Random, rules: int) -> Caller:
    """Every second one is under a rule, the others are as many strangers whatever the number of rules. All have five ids."""
    under = chance.random() < 0.5
    number = chance.randrange(rules) if under else STRANGERS + chance.randrange(STRANGERS)
    return Caller(
        (
            (ScopeKind.USER, f"user-{number}"),
            (ScopeKind.API_KEY, f"key-{number % 50}"),
            (ScopeKind.SESSION, f"session-{number}"),
            (ScopeKind.APPLICATION, "shop"),
            (ScopeKind.ENDPOINT, "/chat"),
        ),
        tools=number % 3 == 0,
    )


def _over_http() -> list[str]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_served())


@dataclass(frozen=True)
class Rate:
    """One measurement of a server that had a core to itself, as far as the machine gave it one."""

    wall: float
    """Answers a second."""
    core: float
    """Answers in each second that the server's process was on a core: what the wall says where nobody else is on it."""


async def _served() -> list[str]:
    async with _server("echo") as echo, _server("gate", HELD) as gate:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # after the servers, which would inherit it
        asked = {
            "the bare echo": (echo, [*_decide_requests()]),
            "POST /decide": (gate, [*_decide_requests()]),
            "LiteLLM's hook": (gate, [*_litellm_requests()]),
        }
        rates: dict[str, list[Rate]] = {name: [] for name in asked}
        for _ in range(ROUNDS):
            for name, (server, requests) in asked.items():
                rates[name].append(await _rate(server, requests))
    wall, core = (
        {name: statistics.median(getattr(r, of) for r in each) for name, each in rates.items()}
        for of in ("wall", "core")
    )
    floor = core["the bare echo"]
    return [
        f"{name:15} {core[name]:6.0f} a second of one core ({wall[name]:6.0f} on the wall)  {core[name] / floor:4.2f} × the echo"
        f"{'' if name == 'the bare echo' else f', {HELD} rules  (5,000)'}"
        for name in asked
    ]


@contextlib.asynccontextmanager
async def _server(what: str, rules: int = 0) -> AsyncIterator[tuple[int, int]]:
    """Port and process id."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.gate_server", what, str(port), str(rules), cwd=ROOT
    )
    try:
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(OSError):
                    (await asyncio.open_connection("127.0.0.1", port))[1].close()
                    break
                await asyncio.sleep(0.05)
        yield port, process.pid
    finally:
        process.terminate()
        await process.wait()


def _decide_requests() -> Iterator[bytes]:
    for number in range(0, HELD * 2, 97):
        body = (
            f'{{"user":"user-{number}","api_key":"key-{number % 50}","session":"session-{number}","application":"shop",'
            f'"endpoint":"/chat","tools":{"true" if number % 3 == 0 else "false"}}}'
        )
        yield _request("/decide", body)


def _litellm_requests() -> Iterator[bytes]:
    text = "What is the status of my order? " * 10
    for number in range(0, HELD * 2, 97):
        body = (
            f'{{"input_type":"request","litellm_call_id":"{number:032x}","litellm_trace_id":"session-{number}","texts":["{text}"],'
            f'"structured_messages":[{{"role":"user","content":"{text}"}}],"request_data":{{"user_api_key_hash":'
            f'"key-{number % 50}","user_api_key_end_user_id":"user-{number}","user_api_key_team_id":"shop"}},"model":"chat",'
            f'"request_headers":{{"content-type":"application/json","cookie":"[present]"}},"tools":null,"tool_calls":null}}'
        )
        yield _request("/beta/litellm_basic_guardrail_api", body)


def _request(path: str, body: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: gate\r\nx-api-key: {TOKEN}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body.encode())}\r\n\r\n{body}".encode()


class _Client(asyncio.Protocol):
    """One connection: the next question when the answer is there, as cheaply as Python can, so that the server is measured."""

    def __init__(self, requests: list[bytes], start: int) -> None:
        self._requests, self._next = requests, start
        self._buffer = b""
        self.answers = 0
        self.over = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._transport.write(self._requests[self._next % len(self._requests)])
        self._next += 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        assert head.startswith(b"HTTP/1.1 200"), head
        at = head.index(b"content-length: ") + 16
        if len(body) < int(head[at : head.find(b"\r", at) if b"\r" in head[at:] else None]):
            return
        self._buffer = b""
        self.answers += 1
        if not self.over:
            self._ask()


async def _rate(server: tuple[int, int], requests: list[bytes]) -> Rate:
    port, pid = server
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(lambda n=n: _Client(requests, n * 7), "127.0.0.1", port))[1]
        for n in range(CONNECTIONS)
    ]
    await asyncio.sleep(0.5)  # warm
    before, began, busy = sum(client.answers for client in clients), time.perf_counter(), _cpu(pid)
    await asyncio.sleep(SECONDS)
    answers = sum(client.answers for client in clients) - before
    rate = Rate(answers / (time.perf_counter() - began), answers / (_cpu(pid) - busy))
    for client in clients:
        client.over = True
        client._transport.close()
    return rate


def _cpu(pid: int) -> float:
    """Seconds that a process has spent on a core (Linux; `man 5 proc`, fields utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
