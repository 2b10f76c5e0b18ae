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
from operator import itemgetter

import msgspec

from bot.detection.compiled import NEVER, Timed
from bot.detection.event import Mark
from bot.detection.keys import LATENESS

SPARE = 2
"""Of N+1 values, so many times are kept: the others were in a window that ended within the last minute, or are too old to
matter. Beyond that the window holds anyway, and a count is a floor."""
TIDY = 15
"""A bit mask: what is too old is thrown away at every 16th new value."""


class Latest(Timed, array_like=True, gc=False):
    values: dict[int, float] = msgspec.field(default_factory=dict)
    starts: dict[int, float] | None = None
    ended: dict[int, float] | None = None
    signals: dict[str, float] | None = None
    event_ids: list[tuple[float, str]] | None = None
    marks: list[tuple[float, Mark]] | None = None


def add(state: Latest, value: int, at: float, window: float) -> bool:
    """One value, not older than the newest of the state. True where a window may now hold more than before."""
    values = state.values
    if at - state.newest > window + LATENESS:
        _forget(state)
    state.newest = at
    old = values.pop(value, None)
    values[value] = at
    if old is None:
        if not len(values) & TIDY:
            tidy(state, at - window - LATENESS)
        return True
    return not _again(state, value, old, at, window)


def _forget(state: Latest) -> None:
    state.values.clear()
    state.starts = state.ended = state.event_ids = state.marks = None


def _again(state: Latest, value: int, old: float, at: float, window: float) -> bool:
    """A value was seen again, its latest time is in `values` already. True where its run goes on."""
    if at - old <= window:
        if state.starts is None:
            state.starts = {}
        state.starts.setdefault(value, old)
        return True
    if state.starts is not None:
        state.starts.pop(value, None)
    if old + window >= state.newest - LATENESS:
        state.ended = state.ended or {}
        state.ended[value] = old
    return False


def tidy(state: Latest, since: float, most: int | None = None) -> None:
    """Throw away what was seen last before `since`, and the oldest above `most` values."""
    values, starts, ended = state.values, state.starts, state.ended
    spare = len(values) - most if most is not None else 0
    gone = []
    for value, last in values.items():
        if last >= since and len(gone) >= spare:
            break
        gone.append(value)
    for value in gone:
        del values[value]
        if starts is not None:
            starts.pop(value, None)
    if ended is not None and len(ended) > TIDY:
        state.ended = {value: end for value, end in ended.items() if end >= since} or None


def held(state: Latest, since: float) -> tuple[int, float]:
    """How many values were seen at `since` or later, and the oldest of these times."""
    for gone, last in enumerate(state.values.values()):
        if last >= since:
            return len(state.values) - gone, last
    return 0, since


def add_late(state: Latest, value: int, at: float, window: float) -> bool:
    """One value that is older than the newest of the state, by the lateness at most. As `add`."""
    values = state.values
    last = values.get(value)
    start = (state.starts or {}).get(value, last)
    if last is None or start is None or (last < at and at - last > window):
        if last is not None and start is not None:
            _again(state, value, last, at, window)
        values[value] = at
    elif start <= at <= last:
        return False
    elif at < start:
        _begins(state, value, at, window)
        return True
    else:
        _again(state, value, last, at, window)
        values[value] = at
    state.values = dict(sorted(values.items(), key=itemgetter(1)))
    return True


def _begins(state: Latest, value: int, at: float, window: float) -> None:
    """A run began earlier than was known, and may be one with the run before."""
    ended = state.ended or {}
    before = ended.get(value, NEVER)
    if at - before <= window:
        del ended[value]
    state.starts = state.starts or {}
    state.starts[value] = before if at - before <= window else at


def most_held(state: Latest, since: float, window: float) -> tuple[int, float]:
    """The most values of any window that ends at `since` or later, and the earliest end with so many."""
    starts = state.starts or {}
    begun, gone = [], []
    for value, last in state.values.items():
        if last + window >= since:
            begun.append(max(since, starts.get(value, last)))
            gone.append(last + window)
    for end in (state.ended or {}).values():
        if end + window >= since:
            begun.append(since)
            gone.append(end + window)
    begun.sort()
    gone.sort()
    counts = ((count - bisect_left(gone, end), -end) for count, end in enumerate(begun, start=1))
    most, end = max(counts, default=(0, -since))
    return most, -end
