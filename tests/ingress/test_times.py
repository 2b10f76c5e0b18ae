from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.ingress import times


@pytest.mark.parametrize(
    ("given_time", "means"),
    [
        ("2026-11-21T19:43:01.466736426Z", datetime(2026, 11, 21, 19, 43, 1, 466736, UTC)),
        ("2026-11-21T19:43:01Z", datetime(2026, 11, 21, 19, 43, 1, tzinfo=UTC)),
        ("2026-11-21T20:43:01.5+01:00", datetime(2026, 11, 21, 19, 43, 1, 500000, UTC)),
        ("2026-11-21 19:43:01+0000", datetime(2026, 11, 21, 19, 43, 1, tzinfo=UTC)),
        (" 2026-11-21t19:43:01z ", datetime(2026, 11, 21, 19, 43, 1, tzinfo=UTC)),
        (1795290181, datetime(2026, 11, 21, 19, 43, 1, tzinfo=UTC)),
        (1795290181.5, datetime(2026, 11, 21, 19, 43, 1, 500000, UTC)),
        (1795290181000, datetime(2026, 11, 21, 19, 43, 1, tzinfo=UTC)),
        ("1795290181", datetime(2026, 11, 21, 19, 43, 1, tzinfo=UTC)),
    ],
)
def test_a_time_in_any_common_spelling_is_read(given_time: object, means: datetime) -> None:
    assert times.parse(given_time) == means


@pytest.mark.parametrize(
    "given_time",
    [
        None, "", "yesterday", True, [], {}, 0, -1, float("nan"), float("inf"), 1e300,
        "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z", "2026-11-21T19:43:01", "2026-11-21", "2026-11-21T19:43:61Z", "9" * 400,
        "２０２６-11-21T19:43:01Z", "2026-11-21T19:43:01+99:00",
    ],
)  # fmt: skip
def test_a_time_that_is_not_one_is_unknown_and_never_guessed(given_time: object) -> None:
    assert times.parse(given_time) is None


OFFSETS = some.builds(timezone, some.integers(-14 * 60, 14 * 60).map(lambda minutes: timedelta(minutes=minutes)))


@given(some.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=OFFSETS))  # noqa: DTZ001
def test_what_isoformat_writes_is_read_back(moment: datetime) -> None:
    assert times.parse(moment.isoformat()) == moment


@given(some.one_of(some.text(), some.floats(), some.integers()))
def test_nothing_breaks_the_parser(value: object) -> None:
    found = times.parse(value)
    assert found is None or times.plausible(found)
