"""Events that are sent one by one at the same time: one batch, and an answer for each sender."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.detection.event import Event
from bot.watch.frames import FrameKind
from bot.watch.read import read_frames, seen_of
from bot.watch.segments import segments
from bot.watch.singles import Singles
from bot.watch.watch import Taken
from tests.watch.conftest import Running
from tests.watch.seen import query


async def test_those_of_one_moment_are_one_batch_and_each_sender_is_answered_for_his_own(
    watch: Running, folder: Path
) -> None:
    told = await asyncio.gather(*(watch.take(query(number % 10)) for number in range(12)))
    assert told == [Taken(1, 0)] * 10 + [Taken(0, 1)] * 2
    assert await watch.running.taker.events.written()
    frames = [one for one in read_frames(segments(folder)) if one.kind is FrameKind.SEEN]
    assert [len(seen_of(one)) for one in frames] == [10]


async def test_they_are_counted_by_the_route_on_which_they_came(watch: Running) -> None:
    take = watch.running.taker.take
    await asyncio.gather(*(take([query(number)], via=("native", "litellm")[number % 3 == 0]) for number in range(9)))
    counted = {
        via: watch.metric("firsthour_events_total", source=via, outcome="accepted") for via in ("native", "litellm")
    }
    assert counted == {"native": 6, "litellm": 3}


class Counting:
    """Counts once it may."""

    def __init__(self) -> None:
        self.batches: list[list[Event]] = []
        self.may = asyncio.Event()
        self.fails: Exception | None = None

    async def take(self, events: Sequence[Event], via: str) -> list[bool]:
        self.batches.append(list(events))
        await self.may.wait()
        if self.fails is not None:
            raise self.fails
        return [True] * len(events)


@pytest.fixture
def counting() -> Counting:
    return Counting()


async def begun(counting: Counting, count: int) -> None:
    while len(counting.batches) < count:
        await asyncio.sleep(0)


async def test_a_sender_that_gives_up_takes_no_other_along(counting: Counting) -> None:
    singles = Singles(counting.take, asyncio.Lock())
    first, second = (asyncio.create_task(singles.take(query(number), "native")) for number in (1, 2))
    await begun(counting, 1)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    later = asyncio.create_task(singles.take(query(3), "native"))
    counting.may.set()
    assert (await second, await later) == (True, True)
    assert counting.batches == [[query(1), query(2)], [query(3)]]


async def test_what_fails_is_told_to_every_sender_of_it_and_to_no_other(counting: Counting) -> None:
    singles = Singles(counting.take, asyncio.Lock())
    counting.fails = ValueError("nobody expected this")
    counting.may.set()
    told = await asyncio.gather(*(singles.take(query(number), "native") for number in (1, 2)), return_exceptions=True)
    assert told == [counting.fails] * 2
    counting.fails = None
    assert await singles.take(query(3), "native")


async def test_a_stop_cuts_off_whoever_waits(counting: Counting) -> None:
    turn = asyncio.Lock()
    singles = Singles(counting.take, turn)
    async with turn:
        waiting = asyncio.create_task(singles.take(query(1), "native"))
        await asyncio.sleep(0)
        await singles.stop()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert counting.batches == []
