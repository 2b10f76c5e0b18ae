"""When a response is due. Pure.

Decides what "within 15 minutes" and "the next business day" mean as instants. Which severity promises which is
`playbooks/severities.yaml`'s; the working days and the time zone are the organisation's.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.incident.errors import Misconfigured

LONGEST_BREAK = 60
"""Days without a working day in a row after which the calendar is taken to be a mistake."""


@dataclass(frozen=True)
class BusinessCalendar:
    """When people work: from `starts` on `days` (Monday is 0) that are not `holidays`, in the zone `timezone`."""

    timezone: str = "UTC"
    starts: time = time(9, 0)
    days: tuple[int, ...] = (0, 1, 2, 3, 4)
    holidays: Container[date] = ()

    def __post_init__(self) -> None:
        if not set(self.days) & set(range(7)):
            raise Misconfigured(
                "business_hours.days names no day of the week. Monday is 0, for example [0, 1, 2, 3, 4]."
            )

    def works_on(self, day: date) -> bool:
        return day.weekday() in self.days and day not in self.holidays


def calendar(timezone: str, starts: time, days: tuple[int, ...], country: str | None) -> BusinessCalendar:
    """The calendar of `business_hours`. `country` is ISO 3166 with an optional subdivision: `DE`, `DE-BY`, `US`.

    Raises Misconfigured where there is no such country.
    """
    if country is None:
        return BusinessCalendar(timezone, starts, days)
    code, _, subdivision = country.partition("-")
    from holidays import country_holidays  # every country's calendar: a quarter of a second, for whoever names one

    try:
        return BusinessCalendar(timezone, starts, days, country_holidays(code, subdiv=subdivision or None))
    except NotImplementedError as error:
        raise Misconfigured(
            f"business_hours.holidays: “{country}” is not known. Use an ISO 3166 code, for example DE, DE-BY or US."
        ) from error


def response_due(
    declared_at: datetime, minutes: float | None, next_business_day: bool, hours: BusinessCalendar
) -> datetime:
    """The instant, in UTC, by which somebody must have acknowledged. Minutes are minutes, also across a change of clocks.

    The next business day is never the day of the declaration itself, however early that was.
    """
    if minutes is not None:
        return declared_at.astimezone(UTC) + timedelta(minutes=minutes)
    if not next_business_day:
        raise ValueError("a response time is either minutes or the next business day")
    zone = ZoneInfo(hours.timezone)
    declared_on = declared_at.astimezone(zone).date()
    for days in range(1, LONGEST_BREAK + 1):
        day = declared_on + timedelta(days=days)
        if hours.works_on(day):
            # A start of work that the change of clocks skips is the moment that the clocks jump to and as long after it.
            return datetime.combine(day, hours.starts, zone).astimezone(UTC)
    raise Misconfigured(
        f"business_hours: no working day within {LONGEST_BREAK} days after {declared_on}. Check `days` and `holidays`."
    )
