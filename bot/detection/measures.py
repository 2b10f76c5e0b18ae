"""What is measured of an application in ten minutes, and how much each user's word counts for it.

Decides the measures and their units. So that one user cannot move a value, users share 64 cells (by a hash). Of a rate,
a cell counts for at most twice what the median cell said, and the one that adds most for no more than the next; tokens and
latency are the median of the cells. Ten minutes in which fewer than five cells spoke have no value: too little is known,
which is not the same as zero.
"""

from __future__ import annotations

from collections.abc import Callable
from math import asin, exp, sin, sqrt
from statistics import median
from typing import Final, NamedTuple

import msgspec

BUCKET = 600
"""Seconds that make one value."""
CELLS = 64
SPOKEN = 5
"""Cells that must have said something, for the value to mean something."""


class Measure(NamedTuple):
    """`there` and `back` turn a value into one whose noise is alike at every level, and again into what people read."""

    words: str
    rate: bool
    back: Callable[[float], float]
    least: float
    """Standard deviation, in the turned values, that is noise whatever was learned: 10 % of tokens or latency."""


def _rate(turned: float) -> float:
    return sin(min(1.5708, max(0.0, turned))) ** 2


def _size(turned: float) -> float:
    return exp(turned) - 1


MEASURES: Final = {
    "refusals": Measure("refusal rate, %", True, _rate, 0.02),
    "blocks": Measure("block rate, %", True, _rate, 0.02),
    "tokens": Measure("tokens a call", False, _size, 0.1),
    "latency": Measure("latency, ms", False, _size, 0.1),
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

    def value(self, measure: int, *, rate: bool) -> tuple[float, float] | None:
        """The turned value and the standard deviation that counting alone gives it; None where too few spoke."""
        at = range(measure * CELLS, (measure + 1) * CELLS)
        cells = [(self.said[cell], self.sums[cell] / self.said[cell]) for cell in at if self.said[cell]]
        if len(cells) < SPOKEN:
            return None
        if not rate:
            return median(mean for _, mean in cells), 0.0
        most = 2 * median(said for said, _ in cells)
        voices = [min(said, most) for said, _ in cells]
        *others, second, _ = sorted(voice * mean for voice, (_, mean) in zip(voices, cells, strict=True))
        heard = sum(voices)
        return asin(sqrt(min(1.0, (sum(others) + 2 * second) / heard))), 0.5 / sqrt(heard)
