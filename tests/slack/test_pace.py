"""Budgets: what may go now, how long to wait, and what a rate-limit answer does. On a clock that the test moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.practice.limits import Limits
from bot.slack.pace import PER_MINUTE, Pace


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def pace(seconds: Seconds) -> Pace:
    return Pace(seconds)


def spend(pace: Pace, method: str, channel: str | None = None) -> int:
    """How many calls may go at once."""
    count = 0
    while pace.take(method, channel) == 0:
        count += 1
    return count


def test_a_burst_is_about_a_minutes_budget(pace: Pace) -> None:
    assert spend(pace, "conversations.create") == 19
    assert spend(pace, "chat.update") == 49


def test_methods_do_not_take_from_each_other(pace: Pace) -> None:
    spend(pace, "conversations.create")
    assert pace.take("conversations.setTopic") == 0


def test_the_wait_is_exact(pace: Pace, seconds: Seconds) -> None:
    spend(pace, "conversations.create")
    wait = pace.take("conversations.create")
    seconds.now += wait - 0.01
    assert pace.take("conversations.create") > 0
    seconds.now += 0.011
    assert pace.take("conversations.create") == 0


def test_a_channel_takes_a_few_messages_at_once_and_then_one_a_second(pace: Pace, seconds: Seconds) -> None:
    assert spend(pace, "chat.postMessage", "C1") == 4
    assert pace.take("chat.postMessage", "C2") == 0
    assert 0.9 < pace.take("chat.postMessage", "C1") <= 1.1
    assert pace.take("chat.update", "C1") == 0, "an update is no message"


def test_a_refused_call_takes_nothing(pace: Pace, seconds: Seconds) -> None:
    spend(pace, "chat.postMessage", "C1")
    for _ in range(1_000):
        pace.take("chat.postMessage", "C1")
    assert pace.take("chat.postMessage", "C2") == 0


def test_a_rate_limit_answer_pauses_that_method_for_exactly_so_long(pace: Pace, seconds: Seconds) -> None:
    pace.limited("chat.update", 30)
    assert pace.take("chat.update") == 30
    assert pace.take("chat.postMessage", "C1") == 0
    seconds.now += 30
    assert pace.take("chat.update") == 0


def rate(pace: Pace, seconds: Seconds, method: str) -> int:
    """Calls that go within the next minute."""
    spend(pace, method)
    count, end = 0, seconds.now + 60
    while (wait := pace.take(method)) == 0 or seconds.now + wait <= end:
        seconds.now += wait
        count += wait == 0
    seconds.now = end
    return count


def test_after_a_rate_limit_answer_a_method_runs_at_half_its_rate_and_recovers(pace: Pace, seconds: Seconds) -> None:
    assert 48 <= rate(pace, seconds, "chat.update") <= 50
    pace.limited("chat.update", 1)
    assert 20 <= rate(pace, seconds, "chat.update") <= 32
    seconds.now += 600
    assert 48 <= rate(pace, seconds, "chat.update") <= 50


def test_many_rate_limit_answers_never_stop_a_method_for_good(pace: Pace, seconds: Seconds) -> None:
    for _ in range(50):
        pace.limited("chat.update", 1)
    seconds.now += 20
    assert pace.take("chat.update") == 0


@given(
    st.lists(st.tuples(st.sampled_from(["conversations.create", "chat.postMessage", "chat.update"]), st.floats(0, 5)))
)
def test_what_goes_at_our_pace_slack_never_refuses(steps: list[tuple[str, float]]) -> None:
    seconds = Seconds()
    pace, slack = Pace(seconds), Limits(seconds, on=True)
    tiers = {"conversations.create": 2, "chat.postMessage": 5, "chat.update": 3}
    for method, pause in steps * 20:
        seconds.now += pause / 10
        if pace.take(method, "C1") == 0:
            assert slack.refuse(method, tiers[method], "C1") == 0


def test_sixty_rooms_take_little_longer_than_slack_allows(pace: Pace, seconds: Seconds) -> None:
    """Twenty at once and then one every three seconds: two minutes (design §9)."""
    began, opened = seconds.now, 0
    while opened < 60:
        wait = pace.take("conversations.create")
        opened += wait == 0
        seconds.now += wait
    assert seconds.now - began <= 1.05 * 120


def test_idle_channels_are_forgotten(pace: Pace, seconds: Seconds) -> None:
    for number in range(5_000):
        pace.take("chat.postMessage", f"C{number}")
        seconds.now += 1
    assert len(pace._channels) <= 2_000


def test_every_method_that_has_a_budget_has_one() -> None:
    assert len(PER_MINUTE) > 25 and min(PER_MINUTE.values()) >= 20
