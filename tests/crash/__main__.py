"""`python -m tests.crash 100`: the long form. A second number is the seed."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.conftest import postgres_database, postgres_running, prepare
from tests.crash.storm import Verdict, storm


async def sqlite(kills: int, seed: int) -> Verdict:
    folder = Path(tempfile.mkdtemp(prefix="firsthour-crash-"))
    return await storm(folder, f"sqlite:///{folder / 'firsthour.db'}", kills=kills, seed=seed)


async def postgres(kills: int, seed: int) -> Verdict:
    folder = Path(tempfile.mkdtemp(prefix="firsthour-crash-"))
    with postgres_running() as server:
        await prepare(server)
        async with postgres_database(server) as url:
            return await storm(folder, url, kills=kills, seed=seed, replicas=2)


def main() -> int:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    verdicts = []
    for name, run in (("one process on SQLite", sqlite), ("two replicas on PostgreSQL", postgres)):
        verdicts.append(asyncio.run(run(kills, seed)))
        print(f"{name}: {verdicts[-1]}", flush=True)
        print(f"  logs in {verdicts[-1].log}", flush=True)
    return 1 if any(verdict.problems for verdict in verdicts) else 0


sys.exit(main())
