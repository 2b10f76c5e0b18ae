"""The attempts of one key within a window: which calls were blocked, which got through, and who took part.

Decides how they are kept: exactly, up to a bound; of more than that the latest, so that the window is shorter for who is
busier. How many are too many is the ratio rule's.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

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
TIDY = 15
"""A bit mask: what is too old is looked for at every 16th call."""
MOST_TEXTS = 512
"""Calls that are known to be the same attempt as another."""


class Bounds(NamedTuple):
    window: float
    """Seconds."""
    calls: int
    """That are kept when there are an eighth more."""
    members: int


class Attempts(Timed, array_like=True, gc=False):
    first: tuple[str, float, int] | None = None
    """Most keys ever see one call: its name (`keys.short`), its time, what was told of it."""
    calls: dict[str, float] | None = None
    """If there are more: each with the earliest time that was told, in order of time."""
    flagged: dict[str, int] | None = None
    """What was told of those that were not only blocked."""
    blocks: int = 0
    bypasses: int = 0
    flags: int = 0
    """Of all calls."""
    texts: dict[str, str] | None = None
    who: dict[str, tuple[float, float]] | None = None
    """Of a fleet: `kind\0id`, and from when to when it took part."""
    signals: dict[str, float] | None = None
    event_ids: list[str] | None = None

    def size(self) -> int:
        return len(self.calls) if self.calls is not None else int(self.first is not None)

    def spread(self) -> dict[str, float]:
        """All calls, which may then be changed."""
        if self.calls is None:
            self.calls = {}
            if self.first is not None:
                call, at, told = self.first
                self.calls[call] = at
                self.flagged = {call: told} if told != BLOCKED else None
                self.first = None
        return self.calls

    def same(self, call: str, text: str) -> str:
        """The attempt that this call is: of calls with the same text the first one."""
        self.texts = self.texts or {}
        attempt = self.texts.get(call) or self.texts.setdefault(text, call)
        if attempt != call:
            self.texts[call] = attempt
        while len(self.texts) > MOST_TEXTS:
            del self.texts[next(iter(self.texts))]
        return attempt

    def tell(self, call: str, told: int, at: float, bounds: Bounds) -> bool:
        """Something was told of a call. True where that changes what is counted."""
        if self.texts:
            call = self.texts.get(call, call)
        calls = self.calls
        if calls is None:
            if self.first is None:
                self.first = (call, at, told)
                self._count(0, told)
                return True
            calls = self.spread()
        if call in calls:
            return self._tell_more(calls, call, told, at, bounds)
        calls[call] = at
        self._note(call, 0, told)
        if at < self.newest or not len(calls) & TIDY:
            self._order(at, bounds)
        return True

    def _tell_more(self, calls: dict[str, float], call: str, told: int, at: float, bounds: Bounds) -> bool:
        known, before = calls[call], self.told_of(call)
        if before | told == before and at >= known:
            return False
        calls[call] = min(at, known)
        self._note(call, before, before | told)
        self._order(at, bounds)
        return True

    def _note(self, call: str, before: int, told: int) -> None:
        if told == BLOCKED and not before:
            self.blocks += 1
            return
        self._count(before, told)
        if told != BLOCKED:
            self.flagged = self.flagged or {}
            self.flagged[call] = told

    def told_of(self, call: str) -> int:
        return self.flagged.get(call, BLOCKED) if self.flagged else BLOCKED

    def _count(self, before: int, now: int) -> None:
        (block, bypass, flag), (blocked, bypassed, flagged) = COUNTS[before], COUNTS[now]
        self.blocks += blocked - block
        self.bypasses += bypassed - bypass
        self.flags += flagged - flag

    def _order(self, at: float, bounds: Bounds) -> None:
        """Keep `calls` in order, and without those that no window can hold any more, now and then."""
        calls = self.spread()
        if at < self.newest:
            calls = self.calls = dict(sorted(calls.items(), key=itemgetter(1)))
        oldest = max(at, self.newest) - bounds.window - LATENESS
        first = next(iter(calls.values()))
        if first < oldest - bounds.window / 32 or len(calls) > bounds.calls * 9 // 8:
            self.calls = dict([item for item in calls.items() if item[1] >= oldest][-bounds.calls :])
            self._recount(self.calls)

    def _recount(self, calls: dict[str, float]) -> None:
        flagged = {call: told for call, told in (self.flagged or {}).items() if call in calls}
        self.flagged = flagged or None
        self.blocks, self.bypasses, self.flags = len(calls) - len(flagged), 0, 0
        for told in flagged.values():
            self._count(0, told)

    def joined(self, who: tuple[str, str], at: float, bounds: Bounds) -> None:
        self.who = self.who or {}
        name = "\0".join(who)
        begun, ended = self.who.pop(name, (at, at))
        if at - ended > bounds.window:
            begun = at
        self.who[name] = (min(begun, at), max(ended, at))
        while len(self.who) > bounds.members:
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
    for call, at in state.spread().items():
        if at >= since:
            started = at
            break
        block, bypass, flag = COUNTS[state.told_of(call)]
        blocks, bypasses, flags = blocks - block, bypasses - bypass, flags - flag
    return Tally(blocks, bypasses, flags, started, end)


def tallies(state: Attempts, since: float, window: float) -> Iterator[Tally]:
    """Every window that ends with an attempt, at `since` or later."""
    items = list(state.spread().items())
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
