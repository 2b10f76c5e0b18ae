"""The sliding window against the plainest counting there is."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from bot.gate.limits import Allowed, InProcess, RetryAfter

WINDOW = 60.0


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 400)), max_size=60),
    st.integers(1, 4),
)
def test_exactly_so_many_calls_fit_into_any_window(steps: list[tuple[str, int]], limit: int) -> None:
    """Steps of a tenth of a second up to forty; a naive list of the calls that were let through decides the same."""

    async def run() -> None:
        limiter, now = InProcess(), 0.0
        let: dict[str, list[float]] = {"a": [], "b": []}
        for key, tenths in steps:
            now += tenths / 10
            recent = [at for at in let[key] if at > now - WINDOW]
            hit = await limiter.hit(key, limit, WINDOW, now)
            if len(recent) < limit:
                assert hit == Allowed()
                let[key].append(now)
            else:
                assert isinstance(hit, RetryAfter)
                assert hit.seconds == recent[-limit] + WINDOW - now > 0
        for calls in let.values():
            assert all(sum(at <= other < at + WINDOW for other in calls) <= limit for at in calls)

    asyncio.run(run())


async def test_who_is_told_when_to_come_back_is_let_through_then_and_not_before() -> None:
    limiter = InProcess()
    await limiter.hit("k", 1, WINDOW, 100.0)
    hit = await limiter.hit("k", 1, WINDOW, 130.0)
    assert hit == RetryAfter(30.0)
    assert isinstance(await limiter.hit("k", 1, WINDOW, 159.9), RetryAfter)
    assert await limiter.hit("k", 1, WINDOW, 160.0) == Allowed()


async def test_a_lower_limit_counts_the_calls_that_were_let_through_before_it() -> None:
    limiter = InProcess()
    for at in (0.0, 1.0, 2.0):
        assert await limiter.hit("k", 3, WINDOW, at) == Allowed()
    assert await limiter.hit("k", 1, WINDOW, 3.0) == RetryAfter(59.0)
    assert await limiter.hit("k", 0, WINDOW, 500.0) == RetryAfter(WINDOW)


async def test_counts_that_are_over_take_no_memory() -> None:
    limiter = InProcess()
    for number in range(5_000):
        await limiter.hit(f"stranger-{number}", 1, WINDOW, number * 0.1)
    assert len(limiter) <= WINDOW / 0.1 + 2


async def test_who_calls_all_the_time_keeps_no_count_of_others() -> None:
    limiter = InProcess()
    for number in range(5_000):
        await limiter.hit("regular", 10**6, WINDOW, number * 0.1)
        await limiter.hit(f"stranger-{number}", 1, WINDOW, number * 0.1)
    assert len(limiter) <= WINDOW / 0.1 + 3


async def test_a_clock_that_goes_back_keeps_nobody_out_for_longer_than_a_window() -> None:
    limiter = InProcess()
    await limiter.hit("k", 1, WINDOW, 10_000.0)
    assert await limiter.hit("k", 1, WINDOW, 100.0) == Allowed()
