"""One HTTP server in a process and on a core of its own, for `events_http.py`: events in, or the bare echo beside it.

    python -m tests.benchmarks.events_server events 8100     python -m tests.benchmarks.events_server echo 8100

`events` is the product's application as `bot.ingress.app` builds it, with a taker that only tells what was there before, by the
product's own memory of ids. `watch` is the same with the watch behind it, as `firsthour run` has it: scanned, counted by the nine
triggers, logged. The echo reads the body and answers, with the same server and as directly.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import uvloop
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.cases.context import Context
from bot.detection.event import Event
from bot.ingress import Serving, ingress_app
from bot.ingress.events import Taker
from bot.ingress.events_body import LIMIT
from bot.ingress.events_routes import Answer
from bot.serving import received
from bot.serving_http import Headers
from bot.settings import Settings
from bot.store import Store, schema
from bot.watch.process import RunningWatch
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


class Echo:
    """Answers as directly as the product does, and looks at nothing."""

    def __init__(self) -> None:
        self.direct = {b"/events": self._answer}

    async def _answer(self, headers: Headers, receive: Receive) -> Answer:
        await received(receive, LIMIT)
        return Answer(202, ANSWER)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("the benchmark asks for /events only")


async def ready() -> list[str]:
    return []


async def serve(what: str, port: int) -> None:
    app: ASGIApp = Echo()
    if what != "echo":
        folder = Path(tempfile.mkdtemp())
        context = opened.context(Store(f"sqlite:///{folder}/events.db"))
        taker = Deduplicated() if what == "events" else await _watch(context, folder)
        app = ingress_app(context, token=TOKEN, source_secrets={}, ready=ready, taker=taker)
    await Serving(app, "127.0.0.1", port).start()
    gc.collect()
    gc.freeze()  # as `bot.app.keep_what_was_made` does
    await asyncio.Event().wait()


async def _watch(context: Context, folder: Path) -> Taker:
    await schema.upgrade(context.store)
    running = RunningWatch(context, Settings(FIRSTHOUR_EVENTS=folder / "events"), CollectorRegistry())
    await running.start()
    return running.taker


def main() -> None:
    what, port = sys.argv[1:]
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(what, int(port)))


if __name__ == "__main__":
    main()
