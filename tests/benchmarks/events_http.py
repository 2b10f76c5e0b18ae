"""Events over HTTP on one core: batches of 500 and one event a request, told apart by their ids.

Beside the floor of the same run: the same server reading as many bytes and answering without looking at them; and beside the
whole way, with each event scanned, counted by the nine triggers and logged. The bars of the detection issue: 250,000 events a
second in batches of 500 with p99 of a batch below 25 ms, 25,000 a second one by one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from tests.benchmarks.events_server import TOKEN
from tests.benchmarks.stats import high
from tests.ports import free_port
from tests.process import ROOT

BATCH = 500
SECONDS = 3.0
ROUNDS = 3
CONNECTIONS = {BATCH: 4, 1: 32}


async def measure() -> list[str]:
    return await asyncio.to_thread(_alone)


def _alone() -> list[str]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measured())


@dataclass(frozen=True)
class Rate:
    """One measurement of a server that had a core to itself, as far as the machine gave it one."""

    wall: float
    """Events a second."""
    core: float
    """Events in each second that the server's process was on a core: what the wall says where nobody else is on it."""
    busy: float
    """Of its core, 0 to 1: how far the wall says something of the server, and not of whoever asks or of the machine."""
    slow: float
    """Milliseconds that all but one of a hundred requests took, waiting in line included."""


async def _measured() -> list[str]:
    rows: list[str] = []
    async with _server("echo") as echo, _server("events") as events, _server("watch") as watch:
        # Only now: a process that is started from one core has no other one.
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        for size, bar in ((BATCH, "250,000, p99 < 25 ms"), (1, "25,000")):
            servers = {"the bare echo": echo, "POST /events": events, "and counted": watch}
            rates: dict[str, list[Rate]] = {name: [] for name in servers}
            for _ in range(ROUNDS):
                for name, server in servers.items():
                    rates[name].append(await _rate(server, size))
            rows += _rows(rates, size, bar)
    return rows


def _rows(rates: dict[str, list[Rate]], size: int, bar: str) -> list[str]:
    def middle(name: str, of: str) -> float:
        return float(statistics.median(getattr(rate, of) for rate in rates[name]))

    floor = middle("the bare echo", "core")
    rows = []
    for name in rates:
        core, wall, busy, slow = (middle(name, of) for of in ("core", "wall", "busy", "slow"))
        row = f"{size:>3} a request  {name:14} {core:9,.0f} events/s of one core ({wall:9,.0f} on the wall, the core"
        row += f" {busy:4.0%} busy)  p99 {slow:5.1f} ms  {core / floor:4.2f} × the echo"
        rows.append(f"{row}  ({bar})" if name == "POST /events" else row)
    return rows


def _request(number: int, size: int) -> bytes:
    """Events of about 300 bytes, as a gateway sends them, each with an id of its own."""
    lines = "\n".join(_event(number * size + index) for index in range(size))
    head = f"POST /events HTTP/1.1\r\nhost: events\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: application/x-ndjson\r\n"
    return f"{head}content-length: {len(lines)}\r\n\r\n{lines}".encode()


def _event(number: int) -> str:
    return (
        f'{{"kind":"data_query","occurred_at":{time.time():.3f},"source":"bench","source_event_id":"{number:020d}",'
        f'"app":"shop","user_id":"user-{number % 100_003}","session_id":"session-{number % 500_009}","call_id":"{number:032x}",'
        f'"delivered":true,"stage":"output","data":{{"result_sha256":"{number:064x}","ok":true}}}}'
    )


class _Client(asyncio.Protocol):
    """One connection: the next request when the answer is there, as cheaply as Python can, so that the server is measured."""

    def __init__(self, request: Callable[[], bytes], size: int) -> None:
        self._request, self._size = request, size
        self._buffer = b""
        self.taken: list[float] = []
        self.over = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        body = self._request()
        self._asked = time.perf_counter()
        self._transport.write(body)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator or not body.endswith(b"}"):
            return
        assert head.startswith(b"HTTP/1.1 202"), self._buffer
        assert b'"rejected":[]' in body, body
        self._buffer = b""
        self.taken.append(time.perf_counter() - self._asked)
        if not self.over:
            self._ask()


@contextlib.asynccontextmanager
async def _server(what: str) -> AsyncIterator[tuple[int, int]]:
    """Port and process id."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.events_server", what, str(port), cwd=ROOT
    )
    try:
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(OSError):
                    (await asyncio.open_connection("127.0.0.1", port))[1].close()
                    break
                await asyncio.sleep(0.05)
        yield port, process.pid
    finally:
        process.terminate()
        await process.wait()


NUMBERS = 4000
"""Different requests of one measurement; sent again after that, the same ids are duplicates, which costs no less."""


async def _rate(server: tuple[int, int], size: int) -> Rate:
    """The requests are made before: making them costs more than answering them."""
    port, pid = server
    loop = asyncio.get_running_loop()
    made = [_request(number, size) for number in range(NUMBERS if size == 1 else NUMBERS // 20)]
    turn = iter(range(sys.maxsize))
    clients = [
        (await loop.create_connection(lambda: _Client(lambda: made[next(turn) % len(made)], size), "127.0.0.1", port))[
            1
        ]
        for _ in range(CONNECTIONS[size])
    ]
    await asyncio.sleep(0.5)  # warm
    for client in clients:
        client.taken.clear()
    began, busy = time.perf_counter(), _cpu(pid)
    await asyncio.sleep(SECONDS)
    taken = [seconds for client in clients for seconds in client.taken]
    count, wall, core = len(taken) * size, time.perf_counter() - began, _cpu(pid) - busy
    rate = Rate(count / wall, count / core, core / wall, high(taken, 99) * 1000)
    for client in clients:
        client.over = True
        client._transport.close()
    return rate


def _cpu(pid: int) -> float:
    """Seconds that a process has spent on a core (Linux; `man 5 proc`, fields utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
