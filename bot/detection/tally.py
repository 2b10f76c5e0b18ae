"""What a window of attempts holds: the one that ends now, and, for what comes late, those that ended within the lateness.

Decides how that is counted without looking at every call each time: from what is counted already (`attempts`), less what is
too old. When that is too many is the ratio rule's.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, takewhile
from typing import NamedTuple

from bot.detection.attempts import COUNTS, Attempts


class Tally(NamedTuple):
    """What the window that ends at `end` holds."""

    blocks: int
    bypasses: int
    flags: int
    """Calls that a detector flagged and whose fate is known: with none of them, nobody knows what got through."""
    started: float
    end: float


def tally(state: Attempts, end: float, window: float) -> Tally:
    """The window that ends now, not before the newest: all that is kept without what is too old. Who goes on without firing
    is asked at every event, so that what was too old the last time is remembered."""
    more = state.more
    count, blocks, bypasses, flags = (more.gone if more is not None else None) or (0, 0, 0, 0)
    since, started = end - window, end
    for call, at in islice(state.spread().items(), count, None):
        if at >= since:
            started = at
            break
        block, bypass, flag = COUNTS[state.told_of(call)]
        count, blocks, bypasses, flags = count + 1, blocks + block, bypasses + bypass, flags + flag
    if count:
        state.rest().gone = (count, blocks, bypasses, flags)
    return Tally(state.blocks - blocks, state.bypasses - bypasses, state.flags - flags, started, end)


def tallies(state: Attempts, since: float, window: float) -> Iterator[Tally]:
    """Every window that ends with an attempt, at `since` or later. Costs those, and what is too old; not what lies between."""
    calls = state.spread()
    ending = list(takewhile(lambda call: call[1] >= since, reversed(calls.items())))
    blocks, bypasses, flags = state.blocks, state.bypasses, state.flags
    for call, _ in ending:
        block, bypass, flag = COUNTS[state.told_of(call)]
        blocks, bypasses, flags = blocks - block, bypasses - bypass, flags - flag
    oldest = iter(calls.items())
    first, started = next(oldest, ("", since))
    for place, (call, end) in enumerate(ending[::-1], start=1):
        block, bypass, flag = COUNTS[state.told_of(call)]
        blocks, bypasses, flags = blocks + block, bypasses + bypass, flags + flag
        while started < end - window:
            block, bypass, flag = COUNTS[state.told_of(first)]
            blocks, bypasses, flags = blocks - block, bypasses - bypass, flags - flag
            first, started = next(oldest)
        if place == len(ending) or ending[-place - 1][1] > end:
            yield Tally(blocks, bypasses, flags, started, end)
