"""`kill -9` in the middle of a stream, for real: what was accepted more than a second before it is still counted."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from bot.store import Store
from bot.watch.read import read_log
from tests.process import ROOT
from tests.watch.conftest import running
from tests.watch.seen import query


async def test_a_process_that_is_killed_in_the_middle_of_a_stream_loses_less_than_a_second(
    sqlite_url: str, folder: Path, tmp_path: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.watch.streaming", sqlite_url, str(folder), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    accepted: list[tuple[int, float]] = []
    async with asyncio.timeout(60):
        while not accepted or accepted[-1][1] - accepted[0][1] < 1.2:
            line = await process.stdout.readline()
            assert line, "it died by itself"
            if line.startswith(b"accepted "):
                _, number, at = line.split()
                accepted.append((int(number), float(at)))
    process.kill()
    killed = time.time()
    await process.wait()
    kept = {one.event.event_id for one in read_log(folder)}
    must = max(number for number, at in accepted if at < killed - 1)
    assert must > 0 and all(f"e-{number}" in kept for number in range(must))

    store = Store(sqlite_url)
    async with running(store, folder) as again:
        assert again.metric("firsthour_watch_keys") >= 7
        redelivered = [query(number, time.time(), user_id=f"user-{number % 7}") for number in range(must)]
        assert (await again.take(*redelivered)).duplicates == must
        assert {one.subject_id for one in await again.incidents()} <= {f"user-{n}" for n in range(7)}
    await store.close()
