"""A batch, sorted by what it touches: each key of each rule, the events that are about it, and what became of them.

Decides under which name a state lies in Valkey, and for how long.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec

from bot.detection.compiled import Compiled
from bot.detection.event import Seen
from bot.detection.index import Index
from bot.detection.keys import LATENESS
from bot.watch.valkey_entry import Outcome, applied, numbers_of
from bot.watch.valkey_wire import AT_ONCE, Exchange, Read

PREFIX = "firsthour:detect:"
LIVES_AT_LEAST = 2 * LATENESS
"""Seconds. No shorter than the time for which an event must be known again."""


@dataclass
class Work:
    """One key of one rule, and what of the batch is about it."""

    key: str
    rule: Compiled[Any]
    events: list[tuple[int, int, Seen]] = field(default_factory=list)
    """Place in the batch, the number it is known by, the event."""
    version: bytes = b""
    """Of what was sent last. Found again, it was written although no answer came."""
    outcome: Outcome | None = None
    begun: bool = False
    """Nothing lay there."""
    unreadable: bool = False
    """What lay there was written by another version of ours: the windows of this key began anew."""

    def counted(self, read: Read, version: bytes) -> Exchange | None:
        """The value to write, under this version; None where there is nothing to, because all of it is there."""
        if self.version and self.version == read.version:
            return None
        self.begun = read.value is None
        try:
            self.outcome = applied(read.value, self.rule, self.events)
        except msgspec.MsgspecError:
            self.unreadable = True
            self.outcome = applied(None, self.rule, self.events)
        if self.outcome.packed is None:
            return None
        self.version = version
        lives = math.ceil(max(self.rule.idle_after, LIVES_AT_LEAST))
        return Exchange(self.key, read.version, version, self.outcome.packed, lives)


async def sorted_by_key(seen: Sequence[Seen], index: Index[Compiled[Any]]) -> list[Work]:
    """Gives the loop to others now and then: a batch may be large."""
    work: dict[tuple[str, str], Work] = {}
    for place, (number, one) in enumerate(zip(numbers_of(seen), seen, strict=True), start=1):
        for rule in index.of(one):
            key = rule.key_of(one)
            if key is not None:
                known = work.get((rule.id, key))
                if known is None:
                    known = work[rule.id, key] = Work(_name(rule, key), rule)
                known.events.append((place, number, one))
        if not place % AT_ONCE:
            await asyncio.sleep(0)
    return list(work.values())


def _name(rule: Compiled[Any], key: str) -> str:
    """Keys hold ids from outside, of any length and with any brace: what is stored of them is a hash. The braces keep all
    that is ever stored for one key of one rule in one slot of a cluster. A rule that becomes one of another class begins
    anew: its states are of another form."""
    named = f"{type(rule).__name__}\0{key}".encode(errors="surrogatepass")
    return f"{PREFIX}{{{rule.id}:{blake2b(named, digest_size=16).hexdigest()}}}"
