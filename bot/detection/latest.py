"""The sliding window of distinct values: exact, in bounded space, in whatever order events come within the lateness.

Decides how many different values any window of a given length held. What a value is, and how many are too many, is the
rule's.

"More than N different values in W" holds at a time e when the N+1 most recently seen values are no older than e - W, so of
each value the latest time is enough as long as events come in order, and of all values the most recent. For an event that
comes up to a minute late, windows that ended since have to be looked at again. A value is in the window that ends at e for
every e from its first time to W after its last, as long as it never was away for longer than W: that is its run. Hence of
each value is kept: the end of its run (`values`, in order of time), where the run began if that was earlier (`starts`), and
the end of the run before (`ended`). W is never shorter than the lateness, so that no more than two runs matter.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import islice

import msgspec

from bot.detection.compiled import NEVER, Timed
from bot.detection.event import Mark
from bot.detection.keys import LATENESS
from bot.detection.times import cut, insert

SPARE = 2
"""Of N+1 values, so many times are kept: the others were in a window that ended within the last minute, or are too old to
matter. Beyond that the window holds anyway, and a count is a floor."""
TIDY = 15
"""A bit mask: what is too old is thrown away at every 16th new value."""


class More(msgspec.Struct, array_like=True, gc=False):
    """What few keys need, so that the others do not pay for it."""

    starts: dict[bytes, float] | None = None
    ended: dict[bytes, float] | None = None
    signals: dict[str, float] | None = None
    event_ids: list[float | str] | None = None
    """Of each event its time, then its name: pairs would cost as much again."""
    marks: list[tuple[float, Mark]] | None = None


class Latest(Timed, array_like=True, gc=False):
    """Most keys ever see one value: they have no dict, and its time is `newest`."""

    only: bytes | None = None
    values: dict[bytes, float] | None = None
    more: More | None = None


def size(state: Latest) -> int:
    """How many values are kept."""
    return len(state.values) if state.values is not None else int(state.only is not None)


def spread(state: Latest) -> dict[bytes, float]:
    """The values, which may then be changed."""
    if state.values is None:
        state.values = {} if state.only is None else {state.only: state.newest}
        state.only = None
    return state.values


def more(state: Latest) -> More:
    if state.more is None:
        state.more = More()
    return state.more


def add(state: Latest, value: bytes, at: float, window: float, most: int) -> int:
    """One value, not older than the newest of the state. How many are kept, where a window may now hold more than before;
    otherwise 0. `most`: so many are kept when there are half as many again."""
    values = state.values
    if values is None or at - state.newest > window:
        if at - state.newest > window + LATENESS:
            state.only, state.newest = value, at
            state.values = state.more = None
            return 1
        values = spread(state)
    state.newest = at
    if value in values:
        old = values.pop(value)
        values[value] = at
        return 0 if _again(state, value, old, at, window) else len(values)
    values[value] = at
    kept = len(values)
    if not kept & TIDY:
        since = at - window - LATENESS
        if kept > most * 3 // 2:
            tidy(state, since, most)
        elif next(iter(values.values())) < since:
            tidy(state, since)
    return kept


def _again(state: Latest, value: bytes, old: float, at: float, window: float) -> bool:
    """A value was seen again, its latest time is in `values` already. True where its run goes on."""
    rest = state.more or more(state)
    starts = rest.starts
    if at - old <= window:
        if starts is None:
            rest.starts = {value: old}
        elif value not in starts:
            starts[value] = old
        return True
    if starts:
        starts.pop(value, None)
    if old + window >= state.newest - LATENESS:
        if rest.ended is None:
            rest.ended = {}
        rest.ended[value] = old
    return False


def tidy(state: Latest, since: float, most: int | None = None) -> None:
    """Throw away what was seen last before `since`, and the oldest above `most` values."""
    values = spread(state)
    gone = max(0, len(values) - most) if most is not None else 0
    for last in islice(values.values(), gone, None):
        if last >= since:
            break
        gone += 1
    rest = state.more
    if rest is not None and (rest.starts or rest.ended):
        for value in islice(values, gone):
            for known in (rest.starts, rest.ended):
                if known:
                    known.pop(value, None)
    state.values = cut(values, gone)


def held(state: Latest, more_than: int, since: float) -> tuple[int, float] | None:
    """How many values were seen at `since` or later, and the oldest of these times; None where they are no more than that.
    Quick: a key that does not fire is asked at every event."""
    values = spread(state)
    oldest = next(iter(values.values()), NEVER)
    if oldest >= since:  # all of them, as most often
        return (len(values), oldest) if len(values) > more_than else None
    if next(islice(reversed(values.values()), more_than, None), NEVER) < since:
        return None
    gone, oldest = next((gone, last) for gone, last in enumerate(values.values()) if last >= since)
    return len(values) - gone, oldest


def add_late(state: Latest, value: bytes, at: float, window: float) -> int:
    """One value that is older than the newest of the state, by the lateness at most. As `add`."""
    values = spread(state)
    last = values.get(value)
    if last is not None:
        start = (more(state).starts or {}).get(value, last)
        if start <= at <= last:
            return 0
        if at < start:
            _begins(state, value, at, window)
            return len(values)
        _again(state, value, last, at, window)
        del values[value]
    insert(values, value, at)
    return len(values)


def _begins(state: Latest, value: bytes, at: float, window: float) -> None:
    """A run began earlier than was known, and may be one with the run before."""
    rest = more(state)
    before = (rest.ended or {}).get(value, NEVER)
    joined = at - before <= window
    if joined:
        rest.ended = {other: end for other, end in (rest.ended or {}).items() if other != value}
    rest.starts = {**(rest.starts or {}), value: before if joined else at}


def most_held(state: Latest, since: float, window: float) -> tuple[int, float]:
    """The most values of any window that ends at `since` or later, and the earliest end with so many."""
    rest = more(state)
    starts, begun, gone = rest.starts or {}, list[float](), list[float]()
    for value, last in spread(state).items():
        if last + window >= since:
            begun.append(max(since, starts.get(value, last)))
            gone.append(last + window)
    for end in (rest.ended or {}).values():
        if end + window >= since:
            begun.append(since)
            gone.append(end + window)
    begun.sort()
    gone.sort()
    counts = ((count - bisect_left(gone, end), -end) for count, end in enumerate(begun, start=1))
    most, end = max(counts, default=(0, -since))
    return most, -end
