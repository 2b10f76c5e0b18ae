"""One HTTP server in a process and on a core of its own, for `events_http.py`: events in, or the bare echo beside it.

    python -m tests.benchmarks.events_server events 8100     python -m tests.benchmarks.events_server echo 8100

`events` is the product's application as `bot.ingress.app` builds it, with a taker that only tells what was there before, by the
product's own memory of ids. The echo reads the body and answers, with the same server.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tempfile
from collections.abc import Sequence
from typing import NamedTuple

import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.detection.event import Event
from bot.ingress import Serving, ingress_app
from bot.store import Store
from bot.watch.recent import Recent
from bot.watch.states import identity
from tests import opened

TOKEN = "token-of-the-benchmark"
ANSWER = b'{"accepted":500,"duplicates":0,"rejected":[]}'
REMEMBERED = 1_000_000


class Taken(NamedTuple):
    accepted: int
    duplicates: int


class Deduplicated:
    def __init__(self) -> None:
        self._recent = Recent(REMEMBERED)

    async def take(self, events: Sequence[Event], *, via: str) -> Taken:
        add, new = self._recent.add, 0
        for event in events:
            name = identity(event)
            if name is None or add(name):
                new += 1
        return Taken(new, len(events) - new)

    def rejected(self, count: int, *, via: str) -> None:
        raise AssertionError("the benchmark sends good events")


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


async def ready() -> list[str]:
    return []


async def serve(what: str, port: int) -> None:
    app: ASGIApp = echo
    if what == "events":
        context = opened.context(Store(f"sqlite:///{tempfile.mkdtemp()}/events.db"))
        app = ingress_app(context, token=TOKEN, source_secrets={}, ready=ready, taker=Deduplicated())
    await Serving(app, "127.0.0.1", port).start()
    gc.collect()
    gc.freeze()  # as `bot.app.keep_what_was_made` does
    await asyncio.Event().wait()


def main() -> None:
    what, port = sys.argv[1:]
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(what, int(port)))


if __name__ == "__main__":
    main()
