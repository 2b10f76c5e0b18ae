"""Clocks that jump, and more users than there is room for: detection goes on, and says what it could not keep."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from bot.detection.engine import Engine
from bot.detection.event import Kind, Seen
from bot.detection.rule import DistinctRule, TriggerRule
from bot.watch.local import LocalStates
from bot.watch.recent import Recent
from bot.watch.steady import Steady
from tests.watch.seen import NOW, query

RULES = [
    TriggerRule(
        "bulk_data_extraction",
        DistinctRule(
            primitive="distinct", key=("user",), events=(Kind.DATA_QUERY,), distinct_by="result_sha256",
            more_than=100, window_minutes=60,
        ),
    ),
]  # fmt: skip


class Clocks:
    """What really passes, and what the system's clock makes of it."""

    def __init__(self) -> None:
        self.true, self.wrong = NOW, 0.0

    def wall(self) -> float:
        return self.true + self.wrong

    def monotonic(self) -> float:
        return self.true - NOW


@pytest.mark.parametrize("steps", [(3600.0,), (-3600.0,), (3600.0, -3600.0), (-3600.0, 3600.0)])
def test_a_clock_that_is_set_by_an_hour_hides_no_attack_and_makes_none(steps: tuple[float, ...]) -> None:
    """A hundred and one results over half an hour; with each step a share of them."""
    clocks = Clocks()
    now = Steady(clocks.wall, clocks.monotonic)
    engine = Engine(RULES, most_keys=1000)
    when = {(n + 1) * 101 // (len(steps) + 1): step for n, step in enumerate(steps)}
    found = []
    for number in range(101):
        clocks.wrong += when.get(number, 0.0)
        clocks.true += 18
        found += engine.take([Seen(event=query(number, clocks.true), arrived=now())])
    assert [one.counts for one in found] == [{"distinct results": 101}]
    assert engine.late == 0
    found = engine.take([Seen(event=query(n, clocks.true + 3601, user_id="alice"), arrived=now()) for n in range(100)])
    assert not found


def test_a_clock_is_as_the_systems_where_that_only_goes_on() -> None:
    clocks = Clocks()
    now = Steady(clocks.wall, clocks.monotonic)
    for _ in range(5):
        clocks.true += 10
        assert now() == clocks.true
    clocks.wrong = 3600
    assert now() == clocks.wall()


def test_a_flood_of_users_hides_nobody_who_goes_on_and_costs_a_bounded_memory() -> None:
    """Mallory pulls a result a second while three hundred others, each new, do the same."""
    engine = Engine(RULES, most_keys=2000)
    numbers = itertools.count(1000)
    found = []
    for second in range(101):
        others = _strangers(numbers, 300, NOW + second)
        found += engine.take([*others, Seen(event=query(second, NOW + second), arrived=NOW + second)])
        assert engine.keys <= 2000
    assert [one.subject_id for one in found] == ["mallory"]
    assert engine.evictions >= 28_000, "and it is known how many others were lost"
    assert sum(map(len, engine.dump())) <= 3 * 2000


def _strangers(numbers: Iterator[int], count: int, at: float) -> list[Seen]:
    some = itertools.islice(numbers, count)
    return [Seen(event=query(n, at, user_id=f"user-{n}"), arrived=at) for n in some]


async def test_ids_that_never_come_again_fill_no_memory() -> None:
    states = LocalStates(Engine([], most_keys=1), Recent(2000))
    for start in range(0, 10_000, 500):
        assert all(await states.new([query(n) for n in range(start, start + 500)]))
        assert len(states.recent) <= 2000
    assert not any(await states.new([query(n) for n in range(9500, 10_000)])), "the latest are known"
