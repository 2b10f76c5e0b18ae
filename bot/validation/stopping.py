"""Work that can be stopped from outside.

Decides that what is under way is dropped then, at once. What of it counts is the caller's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def until(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Whether the work came to its end before `stop` was set; what was under way is dropped then."""
    if stop.is_set():
        work.close()
        return False
    running, watch = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({running, watch}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        return running.done()
    finally:
        for task in (running, watch):
            task.cancel()
        await asyncio.wait({running, watch})
