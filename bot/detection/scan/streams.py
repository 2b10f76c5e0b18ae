"""Answers that come in pieces: the end of what came before is put in front of the next piece.

Decides which events are pieces of one text, how much of it is kept, and what was told before. Bounded: the streams that were
silent longest are let go, and counted.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from bot.detection.event import Event, MarkKind
from bot.detection.scan.found import Found
from bot.detection.scan.fragments import Held

TAIL = 512
"""Characters that go before a next piece: longer than any credential but a private key, whose head tells it, and eight words."""
REPEATED = 32
"""Characters of an end that no two different pieces share by chance."""
Key = tuple[object, ...]


class Joined(msgspec.Struct, frozen=True, gc=False):
    """A piece, with the end of what came before it."""

    text: str
    begin: int = 0
    """Where in the whole text it begins."""
    ahead: int = 0
    """How much of it had come before."""
    again: bool = False
    """It is what had come before, delivered twice or told as a whole."""


class Stream(msgspec.Struct, gc=False):
    """Most have one piece, and nothing in it: that costs as little as can be."""

    last: str = ""
    """The end of what was joined last, at most twice the tail, which is cut from it when a next piece comes."""
    passed: int = 0
    """Characters of the whole text that came before the tail."""
    told: frozenset[tuple[MarkKind, str, int, str]] = frozenset()
    """What began where in the whole text, and whose it is: one that has grown since is not told again."""
    held: Held = {}

    def joined(self, text: str) -> Joined:
        """The tail and the text, of which a new tail is kept; the text alone where it is the same one again."""
        tail, again = self.last[-TAIL:], False
        if REPEATED <= len(tail) <= len(text) and text.endswith(tail):
            self.passed += len(tail)
            tail, again = "", True
        joined = Joined(tail + text, self.passed, len(tail), again)
        size = len(joined.text)
        if size > TAIL:
            self.passed += size - TAIL
        self.last = joined.text if size <= 2 * TAIL else joined.text[-TAIL:]
        return joined

    def quoted(self, joined: Joined) -> Held:
        """What it had quoted of prompts before this piece."""
        if joined.again:
            self.held.clear()
        return self.held

    def fresh(self, found: Sequence[Found], joined: Joined) -> list[Found]:
        """Those that were not told with an earlier piece: they end in this one, and did not begin as something that was told.
        To be asked piece by piece, in their order."""
        told = {each for each in self.told if each[2] >= joined.begin}
        fresh = []
        for each in found:
            here = (each.kind, each.name, joined.begin + each.start, each.owner)
            # what of a quote is new, `fragments` knows
            if each.end > joined.ahead and (each.kind is MarkKind.FRAGMENT or here not in told):
                fresh.append(each)
                told.add(here)
        self.told = frozenset(told)
        return fresh


class Streams:
    def __init__(self, most: int) -> None:
        self.evicted = 0
        self._most = most
        self._streams: OrderedDict[Key, Stream] = OrderedDict()
        """The one that was silent longest first. Of a plain `dict`, whose first keys keep being taken out, the first one that is
        left has to be searched for: four microseconds an event."""

    def of(self, event: Event) -> Stream | None:
        """The stream of an event; `None` where nothing says which call it belongs to."""
        if event.call_id is None:
            return None
        key = (event.call_id, event.stage, event.kind, event.delivered, event.app, event.source)
        stream = self._streams.get(key)
        if stream is not None:
            self._streams.move_to_end(key)
            return stream
        if len(self._streams) >= self._most:
            self._streams.popitem(last=False)
            self.evicted += 1
        stream = self._streams[key] = Stream()
        return stream

    def __len__(self) -> int:
        return len(self._streams)
