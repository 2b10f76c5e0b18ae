"""What is kept in order of time, with something that comes late put where it belongs.

Decides how: at the cost of what is later than it, and not of all, because late ones come to the busiest keys most often.
"""

from __future__ import annotations

from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def insert(times: dict[T, float], new: T, at: float) -> None:
    """`times` is in order of its values, Unix seconds, and without `new`. Of the same time, the one that came first is first."""
    later: list[tuple[T, float]] = []
    for known, when in reversed(times.items()):
        if when <= at:
            break
        later.append((known, when))
    for known, _ in later:
        del times[known]
    times[new] = at
    times.update(reversed(later))


def cut(times: dict[T, float], first: int) -> dict[T, float]:
    """Without so many at its beginning. Up to half they are taken out, which leaves the others alone; of more the rest is
    copied, which frees the room of all."""
    if first * 2 > len(times):
        return dict(islice(times.items(), first, None))
    for known in list(islice(times, first)):
        del times[known]
    return times
