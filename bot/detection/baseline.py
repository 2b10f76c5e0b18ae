"""What is normal for one measure of one application, hour by hour, and when it has left that. Pure, of bounded size.

Decides the estimator: what it learns, how sure it must be, and when it says "changed". What is measured, and of whom, is
`drift`'s.

How it works. A day has 24 hours, and working days and weekends (UTC) are kept apart: 48 slots. Each slot learns mean and
variance of what it is given, at first as the plain average, later with a memory of about sixty values. What is new is
compared with its slot: how many standard deviations away? That is clipped to ±4 and summed up by two CUSUM charts
(E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954), one for a rise and one for a fall, each giving one
standard deviation a value away. Above the threshold it says so once, takes the new level for normal, and begins again.

Why own code: river has CUSUM, Page-Hinkley and ADWIN, but wants numpy, scipy and pandas, none of them knows the hour of
the day, and none can be kept in a few kilobytes at another store.

Measured with the threshold 12 (tests/detection/test_baseline.py has a part of it): 100 simulated months of ten-minute
values, each with Gaussian noise, with heavy tails (Student t, 4 degrees), with values that hang together (AR 0.3), or with
day and night: no alarm in any of the 400 months. With values that hang together strongly (AR 0.6): one in two months.
A lasting change of 4 standard deviations is told after 6 values (at most 8 of 60 runs), of 3 after 8 (14), of 2 after 15
(35), of 1.5 after 32 (92); of one or less it may never be.
What creeps slower than the memory of a slot (about ten working days) is learned, and not told.
"""

from __future__ import annotations

import msgspec

SLOTS = 48
MEMORY = 60
"""Values that a slot remembers: ten hours of ten-minute values, which is ten days of that hour."""
KNOWN = 12
"""Values of a slot before it is judged by: two days of that hour."""
HISTORY = 432
"""Values in all before anything is judged: three days."""
CLIP = 4.0
"""Standard deviations that one value can count for: a single outlier never suffices."""
LEARNED = 3.0
"""Standard deviations that one value can teach."""
SLACK = 1.0
"""Standard deviations that each value may be away for nothing."""


class Run(msgspec.Struct, array_like=True, gc=False):
    """One CUSUM chart: its score, and what was seen since it last was zero."""

    score: float = 0.0
    values: int = 0
    away: float = 0.0
    """Sum of the distances from normal, unclipped."""
    normal: float = 0.0
    """Sum of what would have been normal."""

    def take(self, score: float, away: float, normal: float) -> None:
        """One more value: its standard deviations in this chart's direction, its distance, and what was normal."""
        self.score += score - SLACK
        if self.score <= 0:
            self.clear()
            return
        self.values += 1
        self.away += away
        self.normal += normal

    def clear(self) -> None:
        self.score, self.values, self.away, self.normal = 0.0, 0, 0.0, 0.0


class Change(msgspec.Struct, frozen=True):
    """A level was left: from where to where, in the units that were given, over how many values."""

    before: float
    now: float
    values: int


def _zeros() -> list[float]:
    return [0.0] * SLOTS


class Baseline(msgspec.Struct, array_like=True, gc=False):
    """About 900 bytes when packed, whatever it has seen."""

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * SLOTS)
    means: list[float] = msgspec.field(default_factory=_zeros)
    variances: list[float] = msgspec.field(default_factory=_zeros)
    seen: int = 0
    variance: float = 0.0
    """Over all slots: what a slot that has seen little is judged by."""
    rise: Run = msgspec.field(default_factory=Run)
    fall: Run = msgspec.field(default_factory=Run)

    def take(self, slot: int, value: float, *, least: float, more_than: float) -> Change | None:
        """Judge one value, then learn from it. `least`: the standard deviation that is noise whatever was learned."""
        away = value - self.means[slot]
        deviation = max(least, self._variance(slot) ** 0.5)
        changed = self._judge(slot, away, deviation, more_than) if self.ready(slot) else None
        self._learn(slot, away, deviation)
        return changed

    def ready(self, slot: int) -> bool:
        """It has seen enough to say what is normal at this hour."""
        return self.seen >= HISTORY and self.counts[slot] >= KNOWN

    def _judge(self, slot: int, away: float, deviation: float, more_than: float) -> Change | None:
        score = min(CLIP, max(-CLIP, away / deviation))
        for run, signed in ((self.rise, score), (self.fall, -score)):
            run.take(signed, away, self.means[slot])
            if run.score > more_than:
                return self._move(run)
        return None

    def _move(self, run: Run) -> Change:
        shift, normal, values = run.away / run.values, run.normal / run.values, run.values
        self.means = [mean + shift if count else mean for mean, count in zip(self.means, self.counts, strict=True)]
        self.rise.clear()
        self.fall.clear()
        return Change(normal, normal + shift, values)

    def _variance(self, slot: int) -> float:
        """A slot's own, drawn towards that of all as long as it has seen little."""
        count = self.counts[slot]
        return (count * self.variances[slot] + KNOWN * self.variance) / (count + KNOWN)

    def _learn(self, slot: int, away: float, deviation: float) -> None:
        count = self.counts[slot]
        if self.ready(slot):
            away = min(LEARNED * deviation, max(-LEARNED * deviation, away))
        weight = max(1 / (count + 1), 1 / MEMORY)
        self.means[slot] += weight * away
        if count:  # the first value of a slot is its own mean, and says nothing about noise
            squared = away * away
            self.variances[slot] += max(1 / count, 1 / MEMORY) * (squared - self.variances[slot])
            self.variance += max(1 / (self.seen + 1), 1 / (SLOTS * MEMORY)) * (squared - self.variance)
        self.counts[slot] = min(count + 1, MEMORY)
        self.seen = min(self.seen + 1, HISTORY * 10)
