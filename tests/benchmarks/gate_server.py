"""One HTTP server in a process and on a core of its own, for `gate.py`: the gate, or the bare echo that it is compared with.

    python -m tests.benchmarks.gate_server gate 8100 10000     python -m tests.benchmarks.gate_server echo 8100

The echo does what no server can leave out: it reads the body and answers as much JSON as the gate does, with uvicorn.
"""

from __future__ import annotations

import asyncio
import os
import sys

import uvloop
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.gate.book import Book, Held
from bot.gate.decisions import Counted
from bot.gate.gate import Gate
from bot.gate.http import GateHttp, Served
from bot.gate.usage import Usage
from bot.incident.words import ActionKind, ScopeKind
from bot.serving import Serving

TOKEN = "token-of-the-benchmark"
KINDS = (ActionKind.BLOCK_USER, ActionKind.ENABLE_SAFE_MODE, ActionKind.DISABLE_TOOLS, ActionKind.RATE_LIMIT)
ANSWER = (
    b'{"allow":true,"outcome":"allowed","status":200,"incident":null,"message":null,"retry_after":null,"answer":null,'
    b'"tools":true,"retrieval":true,"withheld":[]}'
)


def rules(count: int) -> list[Held]:
    """Rules on `user-0`, `user-1` …, every fourth of them a block."""
    return [Held(f"INC-1:{n}", 1, KINDS[n % 4], (ScopeKind.USER, f"user-{n}")) for n in range(count)]


def gate_of(count: int) -> Gate:
    """As the product builds it, with its metrics and its figures for plans."""
    book = Book()
    book.replace(rules(count), 1)
    return Gate(book, listeners=(Counted(CollectorRegistry(), book), Usage()))


def gate_app(count: int) -> ASGIApp:
    return GateHttp(Served(gate_of(count), TOKEN, Usage(), CollectorRegistry()))


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


async def serve(app: ASGIApp, port: int) -> None:
    await Serving(app, "127.0.0.1", port).start()
    await asyncio.Event().wait()


def main() -> None:
    what, port, *count = sys.argv[1:]
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    app = gate_app(int(count[0])) if what == "gate" else echo
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(app, int(port)))


if __name__ == "__main__":
    main()
