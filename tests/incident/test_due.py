from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.incident.due import end_of, next_telling, when_due

NOW = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
DUE = end_of(date(2026, 12, 1))


@pytest.mark.parametrize(
    ("written", "day"),
    [("2026-12-01", "2026-12-01"), ("2w", "2026-12-06"), (" 10D ", "2026-12-02"), ("0d", "2026-11-22")],
)
def test_a_due_date_ends_with_the_utc_date_that_was_written(written: str, day: str) -> None:
    assert f"{when_due(written, NOW):%Y-%m-%d %H:%M:%S %z}" == f"{day} 23:59:59 +0000"


def test_whose_clock_is_elsewhere_gets_the_same_date() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=13)))  # tomorrow already
    assert when_due("1d", there) == when_due("1d", NOW)


@pytest.mark.parametrize("written", ["2026-11-21", "2032-01-01", "9999w", "soon", "2026-13-01", "１０d", "-3d", ""])
def test_what_is_past_too_far_or_no_date_is_refused_in_words(written: str) -> None:
    with pytest.raises(ValueError, match=r"is over|five years|is written like"):
        when_due(written, NOW)


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T08:00+00:00")


def telling(now: datetime, due: datetime = DUE) -> datetime:
    return next_telling(due, now, before_days=(3,), on_the_day=True, every_days=7, hour=8)


def test_the_owner_is_told_three_days_before_on_the_day_and_then_weekly() -> None:
    told, now = [], NOW
    for _ in range(4):
        now = telling(now)
        told.append(now)
    assert told == [at("2026-11-28"), at("2026-12-01"), at("2026-12-08"), at("2026-12-15")]


@settings(max_examples=60)
@given(st.timedeltas(min_value=timedelta(days=-400), max_value=timedelta(days=400)))
def test_the_next_telling_is_always_ahead_and_never_more_than_a_week_late(span: timedelta) -> None:
    now = DUE + span
    following = telling(now)
    assert now < following
    if now > at("2026-12-01"):
        assert following - now <= timedelta(days=7)
