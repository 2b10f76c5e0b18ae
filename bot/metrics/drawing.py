"""A sketch becomes a PNG in a process of its own.

Decides what that process is told, and that it ends with whoever waits for it: how long that is, is the runner's. The bot's memory
does not grow by matplotlib, its loop waits for nothing, and no token reaches the process.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import structlog

from bot.incident.errors import Refused
from bot.metrics.sketch import Sketch, pack

log = structlog.get_logger()

PASSED_ON = ("PATH", "HOME", "TMPDIR", "LANG", "SYSTEMROOT", "XDG_CACHE_HOME", "MPLCONFIGDIR")
"""All that the process is told of the environment: it has no use for a token."""


async def drawn(wanted: Sketch) -> bytes:
    """The PNG. Raises Refused where it could not be drawn; the table holds the same figures."""
    root = str(Path(__file__).parents[2])
    env = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {"PYTHONPATH": root}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.metrics.draw", stdin=pipe, stdout=pipe, stderr=pipe, env=env
    )
    try:
        png, _ = await process.communicate(pack(wanted))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0 or not png:
        log.error("metrics.not_drawn", code=process.returncode)
        raise Refused("The picture of the metrics could not be drawn. `/incident metrics` shows the table.")
    return png
