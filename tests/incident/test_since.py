"""Since when: every form that people type, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.incident.errors import Invalid, Refused
from bot.incident.since import moment
from tests.slack.casefiles import incident

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("30m", 30),
        ("2h", 120),
        ("1d", 1440),
        ("1w", 10080),
        (" 2 H ", 120),
        ("9:30", 30),
        ("09:30 UTC", 30),
        ("10:30", 1410),
    ],
)
def test_a_span_or_a_time_of_day_is_counted_back_from_now(typed: str, minutes: int) -> None:
    assert moment(typed, incident(), NOW) == NOW - timedelta(minutes=minutes)


def test_a_whole_time_is_in_utc_unless_it_says_otherwise() -> None:
    assert moment("2026-03-02T09:00", incident(), NOW) == NOW - timedelta(hours=1)
    assert moment("2026-03-02T09:00+02:00", incident(), NOW) == NOW - timedelta(hours=3)


def test_the_acknowledgement_is_a_moment_once_there_was_one() -> None:
    with pytest.raises(Refused, match="Nobody has acknowledged"):
        moment("ack", incident(), NOW)
    assert moment("ack", incident(acknowledged_at=NOW), NOW) == NOW


@pytest.mark.parametrize("typed", ["2027-01-01T10:00", "2026-03-02T10:00", "0m"])
def test_a_moment_that_lies_ahead_is_refused(typed: str) -> None:
    with pytest.raises(Invalid, match="lies ahead"):
        moment(typed, incident(), NOW)


@pytest.mark.parametrize(
    "typed", ["yesterday", "-5m", "25:00", "12:60", "30", "³h", "", "<!channel>", "9999999m", "٣m"]
)
def test_nonsense_is_refused_with_the_forms_that_work(typed: str) -> None:
    with pytest.raises(Invalid, match="Write 30m") as refused:
        moment(typed, incident(), NOW)
    assert "channel" not in str(refused.value)


def test_a_span_longer_than_calendars_reach_is_cut() -> None:
    assert moment("999999w", incident(), NOW) < NOW
