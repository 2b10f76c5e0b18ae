"""`python -m tests.watch.streaming DATABASE FOLDER`: a watch that counts events without end and says which, to be killed.

Each line `accepted …` on standard output: the number of the last event that was accepted, and when, in seconds.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from prometheus_client import CollectorRegistry

from bot.settings import Settings
from bot.store import Store
from bot.watch.process import RunningWatch
from tests import opened as case
from tests.watch.seen import query

BATCH = 50


async def stream(database: str, folder: str) -> None:
    store = Store(database)
    running = RunningWatch(case.context(store), Settings(FIRSTHOUR_EVENTS=Path(folder)), CollectorRegistry())
    await running.start()
    number = 0
    while True:
        users = range(number, number + BATCH)
        await running.taker.take([query(n, time.time(), user_id=f"user-{n % 7}") for n in users])
        number += BATCH
        print("accepted", number, time.time(), flush=True)
        await asyncio.sleep(0.001)


asyncio.run(stream(*sys.argv[1:]))
