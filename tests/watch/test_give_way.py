"""Counting gives way to a commit, and never for long."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.detection.finding import Finding
from bot.watch.give_way import MOST, PAUSE, SHARE, GiveWay
from tests.watch.conftest import Running
from tests.watch.seen import finding, query, until

SPAN = st.floats(0.00001, 0.05, allow_nan=False)


@given(st.lists(st.tuples(SPAN, SPAN), min_size=1, max_size=400))
def test_whatever_fires_and_however_slow_the_store_is_three_quarters_of_the_time_stay(
    turns: list[tuple[float, float]],
) -> None:
    """Each turn: some counting, and how long others hold the loop once it is given to them."""
    way, now, given, longest = GiveWay(), 100.0, 0.0, 0.0
    began = now
    for counting, others in turns:
        now += counting
        if pause := way.seconds(now):
            held = max(pause, others)
            way.gave(held)
            given, longest, now = given + held, max(longest, held), now + held
        else:
            now += others
    assert given <= MOST + SHARE * (now - began) + longest + 1e-9


def test_a_purse_that_is_full_lasts_for_a_commit_and_fills_again() -> None:
    way, now = GiveWay(), 0.0
    for _ in range(2):
        given = 0.0
        while way.seconds(now):
            way.gave(PAUSE)
            given, now = given + PAUSE, now + PAUSE
        assert MOST <= given < 2 * MOST
        now += MOST / SHARE + PAUSE


class Hanging:
    """A store that does not answer, until it does."""

    def __init__(self) -> None:
        self.answers, self.asked = asyncio.Event(), 0

    async def __call__(self, findings: Sequence[Finding]) -> str:
        self.asked += 1
        await self.answers.wait()
        return "opened"


class Noting(GiveWay):
    gave_way = 0

    def gave(self, seconds: float) -> None:
        self.gave_way += 1
        super().gave(seconds)


@pytest.mark.parametrize(("first", "gives_way"), [(True, True), (False, False)])
async def test_what_opens_an_incident_is_given_way_and_all_events_are_counted_though_the_store_hangs(
    watch: Running, first: bool, gives_way: bool
) -> None:
    taker, store = watch.running.taker, Hanging()
    taker.findings._report, taker._way = store, (noting := Noting())
    taker.findings.add(finding(first=first))
    await until(lambda: store.asked == 1)
    assert taker.findings.opening is first
    taken = await watch.take(*(query(n, user_id=f"user-{n}") for n in range(5000)))
    assert taken.accepted == 5000
    assert (noting.gave_way > 0) is gives_way
    store.answers.set()
    await watch.settled()
    assert not taker.findings.opening
