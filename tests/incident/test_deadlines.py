"""When a response is due: exact minutes, and the start of the next working day in the organisation's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.incident.deadlines import BusinessCalendar, calendar, response_due
from bot.incident.errors import Misconfigured

BERLIN = calendar("Europe/Berlin", time(9), (0, 1, 2, 3, 4), "DE-BY")
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
]


def next_day(declared: str, hours: BusinessCalendar = BERLIN) -> str:
    due = response_due(datetime.fromisoformat(declared), None, True, hours)
    assert due.tzinfo is UTC
    return due.astimezone(ZoneInfo(hours.timezone)).strftime("%a %Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("declared", "due"),
    [
        ("2026-03-02T09:00+01:00", "Tue 2026-03-03 09:00"),
        ("2026-03-02T06:00+01:00", "Tue 2026-03-03 09:00"),
        ("2026-03-06T17:00+01:00", "Mon 2026-03-09 09:00"),
        ("2026-03-07T12:00+01:00", "Mon 2026-03-09 09:00"),
        ("2026-04-02T12:00+02:00", "Tue 2026-04-07 09:00"),  # Good Friday and Easter Monday
        ("2026-01-05T12:00+01:00", "Wed 2026-01-07 09:00"),  # Epiphany, a holiday in Bavaria
        ("2026-03-27T12:00+01:00", "Mon 2026-03-30 09:00"),  # clocks go forward on the 29th
        ("2026-10-23T12:00+02:00", "Mon 2026-10-26 09:00"),  # and back on the 25th
        ("2026-03-02T23:30+00:00", "Wed 2026-03-04 09:00"),  # already the 3rd in Berlin
        ("2025-12-31T12:00+01:00", "Fri 2026-01-02 09:00"),  # holidays of the coming year count
    ],
)
def test_the_next_business_day_begins_at_the_start_of_work_there(declared: str, due: str) -> None:
    assert next_day(declared) == due


def test_a_start_of_work_that_the_change_of_clocks_skips_is_the_moment_they_jump_to() -> None:
    nights = BusinessCalendar("Europe/Berlin", time(2, 30), tuple(range(7)))
    assert next_day("2026-03-28T12:00+01:00", nights) == "Sun 2026-03-29 03:30"


def test_epiphany_is_a_working_day_in_berlin_itself() -> None:
    assert calendar("Europe/Berlin", time(9), (0, 1, 2, 3, 4), "DE").works_on(date(2026, 1, 6))
    assert not BERLIN.works_on(date(2026, 1, 6))


@pytest.mark.parametrize("country", ["XX", "DE-XX", "", "Atlantis"])
def test_a_country_that_nobody_knows_is_refused(country: str) -> None:
    with pytest.raises(Misconfigured, match="ISO 3166"):
        calendar("UTC", time(9), (0,), country)


def test_a_calendar_without_working_days_is_refused() -> None:
    with pytest.raises(Misconfigured, match="no day of the week"):
        BusinessCalendar(days=())
    always = BusinessCalendar(holidays={date(2026, 3, 2) + timedelta(days=n) for n in range(200)})
    with pytest.raises(Misconfigured, match="no working day within"):
        response_due(datetime(2026, 3, 2, tzinfo=UTC), None, True, always)


def test_a_response_time_is_one_of_both() -> None:
    with pytest.raises(ValueError, match="either minutes or the next business day"):
        response_due(datetime(2026, 3, 2, tzinfo=UTC), None, False, BERLIN)


moments = st.datetimes(
    datetime(2012, 1, 1),  # noqa: DTZ001 — hypothesis adds the zone
    datetime(2037, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([ZoneInfo(z) for z in ZONES]),
)
calendars = st.builds(
    BusinessCalendar,
    timezone=st.sampled_from(ZONES),
    starts=st.times(time(4), time(22)).map(lambda at: at.replace(second=0, microsecond=0)),
    days=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    holidays=st.sets(st.dates(date(2012, 1, 1), date(2037, 1, 1)), max_size=20),
)


@given(moments, calendars)
def test_the_next_business_day_is_later_and_a_working_day_at_the_start_of_work(
    declared: datetime, hours: BusinessCalendar
) -> None:
    due = response_due(declared, None, True, hours)
    assert due > declared
    local = due.astimezone(ZoneInfo(hours.timezone))
    assert hours.works_on(local.date())
    assert local.time() == hours.starts
    between = local.date() - timedelta(days=1)
    while between > declared.astimezone(ZoneInfo(hours.timezone)).date():
        assert not hours.works_on(between), "a working day in between was passed over"
        between -= timedelta(days=1)


@given(moments, st.integers(1, 10_000), st.booleans(), calendars)
def test_minutes_are_exact_whatever_the_clocks_do(
    declared: datetime, minutes: int, also: bool, hours: BusinessCalendar
) -> None:
    due = response_due(declared, minutes, also, hours)
    assert due - declared.astimezone(UTC) == timedelta(minutes=minutes)
    assert due.tzinfo is UTC
