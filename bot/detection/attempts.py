"""The attempts of one key within a window: which calls were blocked, which got through, and who took part.

Decides how they are kept: exactly, and at most MOST of them; of more than that, the latest, so that the window is shorter
for who is busier. How many are too many is the ratio rule's.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

import msgspec

from bot.detection.compiled import Timed
from bot.detection.keys import LATENESS

BLOCKED, FLAGGED, DELIVERED, REFUSED = 1, 2, 4, 8
"""What was told of a call, by any event of it."""
COUNTS = tuple(
    (
        int(told & BLOCKED > 0),
        int(told & ~BLOCKED == FLAGGED | DELIVERED and not told & BLOCKED),
        int(told & FLAGGED > 0),
    )
    for told in range(16)
)
"""By what was told of a call: is it a block, a bypass, flagged?"""
MOST = 2_000
MOST_TEXTS = 512
"""Calls that are known to be the same attempt as another."""
MOST_MEMBERS = 1_000


class Attempts(Timed, array_like=True, gc=False):
    calls: dict[str, float] = msgspec.field(default_factory=dict)
    """Each (`keys.short`) with the earliest time that was told, in order of time."""
    flagged: dict[str, int] | None = None
    """What was told of those that were not only blocked."""
    blocks: int = 0
    bypasses: int = 0
    flags: int = 0
    """Of all `calls`."""
    texts: dict[str, str] | None = None
    who: dict[str, tuple[float, float]] | None = None
    """Of a fleet: `kind\0id`, and from when to when it took part."""
    signals: dict[str, float] | None = None
    event_ids: list[str] | None = None

    def same(self, call: str, text: str) -> str:
        """The attempt that this call is: of calls with the same text the first one."""
        self.texts = self.texts or {}
        attempt = self.texts.get(call) or self.texts.setdefault(text, call)
        if attempt != call:
            self.texts[call] = attempt
        while len(self.texts) > MOST_TEXTS:
            del self.texts[next(iter(self.texts))]
        return attempt

    def tell(self, call: str, told: int, at: float, window: float) -> bool:
        """Something was told of a call. True where that changes what is counted."""
        call = self.texts.get(call, call) if self.texts else call
        known = self.calls.get(call)
        if known is None:
            self.calls[call] = at
            self._count(0, told)
        else:
            before = self.told_of(call)
            told |= before
            if told == before and at >= known:
                return False
            self.calls[call] = min(at, known)
            self._count(before, told)
        if told != BLOCKED:
            self.flagged = self.flagged or {}
            self.flagged[call] = told
        self._order(at, window)
        return True

    def told_of(self, call: str) -> int:
        return self.flagged.get(call, BLOCKED) if self.flagged else BLOCKED

    def _count(self, before: int, now: int) -> None:
        (block, bypass, flag), (blocked, bypassed, flagged) = COUNTS[before], COUNTS[now]
        self.blocks += blocked - block
        self.bypasses += bypassed - bypass
        self.flags += flagged - flag

    def _order(self, at: float, window: float) -> None:
        """Keep `calls` in order, and without those that no window can hold any more, now and then."""
        if at < self.newest:
            self.calls = dict(sorted(self.calls.items(), key=itemgetter(1)))
        oldest = max(at, self.newest) - window - LATENESS
        first = next(iter(self.calls.values()))
        if first < oldest - window / 32 or len(self.calls) > MOST + MOST // 8:
            self.calls = dict([item for item in self.calls.items() if item[1] >= oldest][-MOST:])
            self._recount()

    def _recount(self) -> None:
        if self.flagged is not None:
            self.flagged = {call: told for call, told in self.flagged.items() if call in self.calls} or None
        flagged = self.flagged or {}
        self.blocks, self.bypasses, self.flags = len(self.calls) - len(flagged), 0, 0
        for told in flagged.values():
            self._count(0, told)

    def joined(self, who: tuple[str, str], at: float, window: float) -> None:
        self.who = self.who or {}
        name = "\0".join(who)
        begun, ended = self.who.pop(name, (at, at))
        if at - ended > window:
            begun = at
        self.who[name] = (min(begun, at), max(ended, at))
        while len(self.who) > MOST_MEMBERS:
            del self.who[next(iter(self.who))]

    def members(self, since: float, until: float) -> list[tuple[str, str]]:
        """Kind and id of those who took part in that time."""
        took_part = (name for name, (begun, ended) in (self.who or {}).items() if begun <= until and ended >= since)
        return [(kind, name) for kind, _, name in (each.partition("\0") for each in took_part)]


class Tally(NamedTuple):
    """What the window that ends at `end` holds."""

    blocks: int
    bypasses: int
    flags: int
    """Calls that a detector flagged, whatever became of them: with none of them, nobody knows what got through."""
    started: float
    end: float


def tally(state: Attempts, end: float, window: float) -> Tally:
    """The window that ends now: all that is kept without what is too old, which is little."""
    blocks, bypasses, flags = state.blocks, state.bypasses, state.flags
    since, started = end - window, end
    for call, at in state.calls.items():
        if at >= since:
            started = at
            break
        block, bypass, flag = COUNTS[state.told_of(call)]
        blocks, bypasses, flags = blocks - block, bypasses - bypass, flags - flag
    return Tally(blocks, bypasses, flags, started, end)


def tallies(state: Attempts, since: float, window: float) -> Iterator[Tally]:
    """Every window that ends with an attempt, at `since` or later."""
    items = list(state.calls.items())
    blocks = bypasses = flags = gone = 0
    for place, (call, end) in enumerate(items, start=1):
        block, bypass, flag = COUNTS[state.told_of(call)]
        blocks, bypasses, flags = blocks + block, bypasses + bypass, flags + flag
        while items[gone][1] < end - window:
            block, bypass, flag = COUNTS[state.told_of(items[gone][0])]
            blocks, bypasses, flags = blocks - block, bypasses - bypass, flags - flag
            gone += 1
        if end >= since and (place == len(items) or items[place][1] > end):
            yield Tally(blocks, bypasses, flags, items[gone][1], end)
