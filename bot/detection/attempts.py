"""The attempts of one key within a window: which calls were blocked, which got through, and who took part.

Decides how they are kept: exactly, up to a bound; of more than that the latest, so that the window is shorter for who is
busier. How many are too many is the ratio rule's.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from bot.detection.compiled import Timed
from bot.detection.keys import LATENESS
from bot.detection.times import insert

BLOCKED, FLAGGED, DELIVERED, REFUSED, STOPPED = 1, 2, 4, 8, 16
"""What was told of a call, by any event of it. STOPPED, of what was flagged only: it was not delivered."""
COUNTS = tuple(
    (
        int(told & BLOCKED > 0),
        int(told & (BLOCKED | FLAGGED | DELIVERED | REFUSED) == FLAGGED | DELIVERED),
        int(told & FLAGGED > 0 and told != FLAGGED),
    )
    for told in range(32)
)
"""By what was told of a call: is it a block, a bypass, flagged and its fate known?"""
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


class More(msgspec.Struct, array_like=True, gc=False):
    """What few keys need, so that the others do not pay for it."""

    texts: dict[str, str] | None = None
    who: dict[str, tuple[float, float]] | None = None
    """Of a fleet: `kind\0id`, and from when to when it took part."""
    signals: dict[str, float] | None = None
    event_ids: list[str] | None = None
    held_back: tuple[float, float] | None = None
    """When it was told last that a campaign is held back, and when that began a cool-down (as `told` and `fired`)."""
    gone: tuple[int, int, int, int] | None = None
    """How many of the first calls the window has left behind, and the blocks, bypasses and flags among them."""


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
    more: More | None = None

    def rest(self) -> More:
        if self.more is None:
            self.more = More()
        return self.more

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
        rest = self.rest()
        texts = rest.texts = rest.texts or {}
        attempt = texts.get(call) or texts.setdefault(text, call)
        if attempt != call:
            texts[call] = attempt
        while len(texts) > MOST_TEXTS:
            del texts[next(iter(texts))]
        return attempt

    def tell(self, call: str, told: int, at: float, bounds: Bounds) -> bool:
        """Something was told of a call. True where that changes what is counted."""
        more = self.more
        if more is not None and more.texts:
            call = more.texts.get(call, call)
        calls = self.calls
        if calls is None:
            if self.first is None:
                self.first = (call, at, told)
                if told == BLOCKED:
                    self.blocks += 1
                else:
                    self._count(0, told)
                return True
            calls = self.spread()
        if call in calls:
            return self._tell_more(calls, call, told, at, bounds)
        if at < self.newest:
            insert(calls, call, at)
            self._forget_gone()
        else:
            calls[call] = at
        if told == BLOCKED:
            self.blocks += 1
        else:
            self._note(call, 0, told)
        if at < self.newest or not len(calls) & TIDY:
            self._tidy(at, bounds)
        return True

    def _tell_more(self, calls: dict[str, float], call: str, told: int, at: float, bounds: Bounds) -> bool:
        known, before = calls[call], self.told_of(call)
        if before | told == before and at >= known:
            return False
        if at < known:
            del calls[call]
            insert(calls, call, at)
        self._note(call, before, before | told)
        self._forget_gone()
        self._tidy(at, bounds)
        return True

    def _forget_gone(self) -> None:
        if self.more is not None:
            self.more.gone = None

    def _note(self, call: str, before: int, told: int) -> None:
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

    def _tidy(self, at: float, bounds: Bounds) -> None:
        """Keep `calls` without those that no window can hold any more, now and then."""
        calls = self.spread()
        oldest = max(at, self.newest) - bounds.window - LATENESS
        first = next(iter(calls.values()))
        if first < oldest - bounds.window / 32 or len(calls) > bounds.calls * 9 // 8:
            self.calls = dict([item for item in calls.items() if item[1] >= oldest][-bounds.calls :])
            self._forget_gone()
            self._recount(self.calls)

    def _recount(self, calls: dict[str, float]) -> None:
        flagged = {call: told for call, told in (self.flagged or {}).items() if call in calls}
        self.flagged = flagged or None
        self.blocks, self.bypasses, self.flags = len(calls) - len(flagged), 0, 0
        for told in flagged.values():
            self._count(0, told)

    def joined(self, who: tuple[str, str], at: float, bounds: Bounds) -> None:
        rest = self.rest()
        took_part = rest.who = rest.who or {}
        name = "\0".join(who)
        begun, ended = took_part.pop(name, (at, at))
        if at - ended > bounds.window:
            begun = at
        took_part[name] = (min(begun, at), max(ended, at))
        while len(took_part) > bounds.members:
            del took_part[next(iter(took_part))]

    def members(self, since: float, until: float) -> list[tuple[str, str]]:
        """Kind and id of those who took part in that time."""
        who = self.more.who if self.more is not None else None
        if who is None:
            return []
        took_part = (name for name, (begun, ended) in who.items() if begun <= until and ended >= since)
        return [(kind, name) for kind, _, name in (each.partition("\0") for each in took_part)]
