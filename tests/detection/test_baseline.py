"""What the estimator promises, on series made for it: quiet on noise, quick on a change, told once."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from itertools import count

import msgspec
import pytest

from bot.detection.baseline import HISTORY, Baseline, Change

DAY = 144
"""Ten-minute values of a day."""
MONTH = 30 * DAY
SPREAD = 0.1
THRESHOLD = 12.0

Series = Callable[[int], float]


def slot(index: int) -> int:
    return index // 6 % 24 + (24 if index // DAY % 7 >= 5 else 0)


def told(series: Series, length: int, baseline: Baseline | None = None) -> list[tuple[int, Change]]:
    baseline = baseline or Baseline()
    taken = (
        (index, baseline.take(slot(index), series(index), least=0.02, more_than=THRESHOLD)) for index in range(length)
    )
    return [(index, change) for index, change in taken if change is not None]


def gaussian(seed: int) -> Series:
    noise = random.Random(seed)
    return lambda _: noise.gauss(0.3, SPREAD)


def heavy(seed: int) -> Series:
    """Student's t with four degrees of freedom."""
    noise = random.Random(seed)

    def value(_: int) -> float:
        return 0.3 + SPREAD / math.sqrt(2) * noise.gauss(0, 1) / math.sqrt(noise.gammavariate(2, 2) / 4)

    return value


def clinging(seed: int) -> Series:
    """Each value a third of the one before."""
    noise, before = random.Random(seed), [0.0]

    def value(_: int) -> float:
        before[0] = 0.3 * before[0] + noise.gauss(0, SPREAD * math.sqrt(1 - 0.09))
        return 0.3 + before[0]

    return value


def day_and_night(seed: int) -> Series:
    """Three deviations up by day and down by night, other at weekends, and twice as noisy at night."""
    noise = random.Random(seed)

    def value(index: int) -> float:
        wave = math.sin(2 * math.pi * index / DAY)
        height = 0.1 if index // DAY % 7 >= 5 else 0.3
        return 0.5 + height * wave + noise.gauss(0, SPREAD * (1.5 - 0.5 * wave))

    return value


@pytest.mark.parametrize("noise", [gaussian, heavy, clinging, day_and_night])
def test_a_month_in_which_nothing_changed_gives_no_alarm(noise: Callable[[int], Series]) -> None:
    assert [told(noise(seed), MONTH) for seed in range(5)] == [[]] * 5


@pytest.mark.parametrize(("away", "within"), [(6, 6), (4, 9), (3, 16), (2, 40)])
@pytest.mark.parametrize("way", [1, -1])
def test_a_lasting_change_is_told_once_within_the_stated_time(away: int, within: int, way: int) -> None:
    for seed in range(5):
        series, begins = gaussian(seed), 14 * DAY
        changes = told(
            lambda at, series=series, begins=begins: series(at) + way * away * SPREAD * (at >= begins), begins + 5 * DAY
        )
        assert len(changes) == 1
        index, change = changes[0]
        assert begins <= index < begins + within
        assert change.now - change.before == pytest.approx(way * away * SPREAD, rel=0.5)


def test_a_single_outlier_however_far_is_no_change() -> None:
    series = gaussian(1)
    assert told(lambda at: 1e9 if at == 14 * DAY + 50 else series(at), MONTH) == []


def known() -> Baseline:
    """After three days of zeros; whatever is far away counts for four standard deviations, less one."""
    baseline = Baseline()
    for index in range(HISTORY + 1):
        baseline.take(slot(index), 0.0, least=1.0, more_than=THRESHOLD)
    return baseline


def test_exactly_the_threshold_is_no_change_and_anything_above_it_is() -> None:
    at, above = known(), known()
    assert [at.take(0, 1e6, least=1.0, more_than=12.0) for _ in range(4)] == [None] * 4
    assert at.rise.score == 12.0
    assert [above.take(0, 1e6, least=1.0, more_than=11.999) is None for _ in range(4)] == [True, True, True, False]


def test_nothing_is_told_before_there_is_a_history() -> None:
    steps = count()
    assert told(lambda _: float(next(steps) // 20), 3 * DAY) == []


def test_an_hour_that_was_not_seen_twice_is_not_judged() -> None:
    baseline = Baseline()
    told(gaussian(2), 3 * DAY, baseline)
    assert not baseline.ready(24 + 3)
    assert all(baseline.take(24 + 3, 9.0, least=0.02, more_than=1.0) is None for _ in range(12))


def test_the_way_back_is_a_change_too() -> None:
    series = gaussian(3)
    up, down = 14 * DAY, 16 * DAY
    changes = told(lambda at: series(at) + 0.5 * (up <= at < down), down + 2 * DAY)
    assert [change.now > change.before for _, change in changes] == [True, False]


def test_its_size_does_not_grow_and_packing_changes_nothing() -> None:
    baseline = Baseline()
    told(heavy(4), MONTH, baseline)
    packed = msgspec.msgpack.encode(baseline)
    assert len(packed) < 1100
    assert msgspec.msgpack.decode(packed, type=Baseline) == baseline
