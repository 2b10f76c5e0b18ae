"""What `firsthour doctor` says of the Valkey that REDIS_URL names: whether it answers, and whether it keeps what it is given.

Decides which of its settings lose counts. It changes nothing there.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from pydantic import SecretStr

from bot.gate.valkey_client import FAILURES
from bot.watch.valkey_wire import Server, Wire

APART = 30.0
"""Seconds: half of the lateness that events are granted."""


class Looked(NamedTuple):
    well: bool
    detail: str
    mend: str = ""


async def look(url: SecretStr) -> Looked:
    """Raises Misconfigured where the address cannot be used."""
    try:
        wire = await Wire.open(url)
        try:
            return judge(await wire.server(), time.time())
        finally:
            await wire.close()
    except FAILURES as error:
        return Looked(False, f"does not answer ({type(error).__name__})", "Start it, or correct REDIS_URL.")


def judge(server: Server, now: float) -> Looked:
    """`now`: by our clock, Unix seconds."""
    apart = abs(server.time - now)
    if apart > APART:
        return Looked(
            False,
            f"has a clock that differs from this machine's by {apart:.0f} s",
            "Synchronise both (NTP): where replicas disagree by a minute, what one counts is late for the other.",
        )
    if server.evicted:
        return Looked(
            False,
            f"has dropped {server.evicted} keys for want of memory: windows of detection began anew",
            "Give it more memory (`maxmemory`), or a server of its own.",
        )
    if not server.persistent:
        return Looked(
            False,
            "answers, and forgets every window when it is restarted",
            "Switch its append-only file on: `appendonly yes` (with `appendfsync everysec` a crash costs a second).",
        )
    return Looked(True, f"answers, keeps what it has ({', '.join(sorted(server.policies))})")
