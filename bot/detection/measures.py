"""What is measured of an application in ten minutes, and how much each user's word counts for it.

Decides the measures and their units. So that one user cannot move a value, users share 64 cells (by a hash). Of a rate
and of the number of calls, a cell counts for at most twice what the median cell said, and of a rate the one that adds most for
no more than the next; tokens and latency are the median of the cells. Ten minutes in which fewer than five cells spoke have no
value: too little is known, which is not the same as zero.
"""

from __future__ import annotations

from collections.abc import Callable
from math import asin, exp, log1p, sin, sqrt
from statistics import median
from typing import Final, Literal, NamedTuple

import msgspec

BUCKET = 600
"""Seconds that make one value."""
CELLS = 64
SPOKEN = 5
"""Cells that must have said something, for the value to mean something."""


class Measure(NamedTuple):
    """A value is turned into one whose noise is alike at every level; `back` turns it again into what people read."""

    words: str
    form: Literal["rate", "middle", "sum"]
    """Over all cells: the share, what the median cell has, or how many there are."""
    back: Callable[[float], float]
    least: float
    """Standard deviation, in the turned values, that is noise whatever was learned: 10 % of tokens or latency; of calls twice
    as many or half, because one day is busier than another and a whole day's values hang together."""


def _rate(turned: float) -> float:
    return sin(min(1.5708, max(0.0, turned))) ** 2


def _size(turned: float) -> float:
    return exp(turned) - 1


MEASURES: Final = {
    "refusals": Measure("refusal rate, %", "rate", _rate, 0.02),
    "blocks": Measure("block rate, %", "rate", _rate, 0.02),
    "tokens": Measure("tokens a call", "middle", _size, 0.1),
    "latency": Measure("latency, ms", "middle", _size, 0.1),
    "calls": Measure("calls in ten minutes, of busy users a part,", "sum", _size, 0.7),
}


class Bucket(msgspec.Struct, array_like=True, gc=False):
    """Ten minutes: for each measure and cell how often something was said, and the sum of it."""

    start: float
    said: list[int] = msgspec.field(default_factory=lambda: [0] * (CELLS * len(MEASURES)))
    sums: list[float] = msgspec.field(default_factory=lambda: [0.0] * (CELLS * len(MEASURES)))

    def add(self, cell: int, values: tuple[float | None, ...]) -> None:
        for value in values:
            if value is not None:
                self.said[cell] += 1
                self.sums[cell] += value
            cell += CELLS

    def value(self, measure: int, form: Literal["rate", "middle", "sum"]) -> tuple[float, float] | None:
        """The turned value and the standard deviation that counting alone gives it; None where too few spoke."""
        at = range(measure * CELLS, (measure + 1) * CELLS)
        cells = [(self.said[cell], self.sums[cell] / self.said[cell]) for cell in at if self.said[cell]]
        if len(cells) < SPOKEN:
            return None
        if form == "middle":
            return median(mean for _, mean in cells), 0.0
        most = 2 * median(said for said, _ in cells)
        voices = [min(said, most) for said, _ in cells]
        heard = sum(voices)
        if form == "sum":
            return log1p(heard), 1 / sqrt(heard)
        *others, second, _ = sorted(voice * mean for voice, (_, mean) in zip(voices, cells, strict=True))
        return asin(sqrt(min(1.0, (sum(others) + 2 * second) / heard))), 0.5 / sqrt(heard)
