"""What comes late is put where it belongs, and what the window has left behind is weighed once."""

from __future__ import annotations

from operator import itemgetter

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.detection.attempts import BLOCKED, DELIVERED, FLAGGED, Attempts, Bounds
from bot.detection.tally import tallies, tally
from bot.detection.times import cut, insert

MORE = settings(max_examples=80, deadline=None)
BOUNDS = Bounds(window=100.0, calls=30, members=5)


@MORE
@given(st.lists(st.integers(0, 9), max_size=30))
def test_whatever_the_order_they_are_put_in_times_are_in_order_and_the_first_of_equals_is_first(
    times: list[int],
) -> None:
    kept: dict[int, float] = {}
    for name, at in enumerate(times):
        insert(kept, name, at)
    assert list(kept.items()) == sorted(enumerate(times), key=itemgetter(1))


@MORE
@given(st.integers(0, 40), st.integers(0, 40))
def test_what_is_cut_off_is_the_beginning_however_much_it_is(count: int, first: int) -> None:
    assert list(cut({n: float(n) for n in range(count)}, first)) == list(range(first, count))


@MORE
@given(st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.integers(0, 60)), min_size=1, max_size=60))
def test_windows_are_what_a_look_at_every_call_finds_however_often_they_were_asked_for(
    told: list[tuple[int, bool, int]],
) -> None:
    state, now = Attempts(), 0.0
    for number, (step, flagged, late) in enumerate(told):
        now += step
        at = now - (late if number % 3 == 0 else 0)
        state.tell(f"call {number}", FLAGGED | DELIVERED if flagged else BLOCKED, at, BOUNDS)
        state.newest = max(state.newest, at)
        calls = state.spread()
        assert list(calls.values()) == sorted(calls.values())
        for window in (tally(state, state.newest, 100), *tallies(state, state.newest - 60, 100)):
            inside = [call for call, when in calls.items() if window.end - 100 <= when <= window.end]
            blocks = sum(state.told_of(call) == BLOCKED for call in inside)
            assert (window.blocks, window.bypasses, window.started) == (blocks, len(inside) - blocks, calls[inside[0]])


def test_who_goes_on_without_firing_is_not_counted_from_the_beginning_each_time() -> None:
    state = Attempts()
    for number in range(25):
        state.tell(f"call {number}", BLOCKED, float(number), BOUNDS)
        state.newest = float(number)
    assert tally(state, 115.0, 100).blocks == 10
    assert state.more is not None and state.more.gone == (15, 15, 0, 0)
    assert tally(state, 116.0, 100).blocks == 9
