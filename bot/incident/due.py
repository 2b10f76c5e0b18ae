"""When an action item is due, and when its owner is told of it. Pure.

Decides that a due date is a UTC date and ends with it, for everybody and on every calendar; how people write one; and which
moment of telling comes next. How many days before and after is the playbook's (`review.yaml`).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta

SPAN = re.compile(r"(\d{1,4})([dw])")
DAYS = {"d": 1, "w": 7}
FURTHEST = timedelta(days=5 * 366)
LAST_SECOND = time(23, 59, 59, tzinfo=UTC)


def end_of(day: date) -> datetime:
    """The last second of a UTC date: from then on what was due is overdue."""
    return datetime.combine(day, LAST_SECOND)


def in_days(now: datetime, days: int) -> datetime:
    """Due so many days after the UTC date that it is now."""
    return end_of(now.astimezone(UTC).date() + timedelta(days=days))


def written(text: str) -> date | timedelta:
    """`2026-12-01`, `10d` and `2w` as a date, or as a span from today. Raises ValueError, in words."""
    given = text.strip().casefold()
    span = SPAN.fullmatch(given) if given.isascii() else None
    try:
        return timedelta(days=int(span[1]) * DAYS[span[2]]) if span is not None else date.fromisoformat(given)
    except ValueError:
        raise ValueError("A date is written like 2026-12-01, 10d or 2w.") from None


def when_due(text: str, now: datetime) -> datetime:
    """What was written as the end of that UTC date. Raises ValueError, in words, also for what is past."""
    day = written(text)
    due = in_days(now, min(day, FURTHEST + timedelta(1)).days) if isinstance(day, timedelta) else end_of(day)
    if due < now:
        raise ValueError(f"{due:%Y-%m-%d} is over. Give a date that is still ahead, in UTC.")
    if due > now + FURTHEST:
        raise ValueError("A date lies at most five years ahead.")
    return due


def next_telling(
    due_at: datetime, now: datetime, *, before_days: Collection[int], on_the_day: bool, every_days: int, hour: int
) -> datetime:
    """The next moment at which the owner is told: before, on the day, then every so many days until it is done."""
    day = datetime.combine(due_at.astimezone(UTC).date(), time(hour, tzinfo=UTC))
    ahead = [day - timedelta(days=days) for days in (*before_days, *([0] if on_the_day else []))]
    soonest = min((moment for moment in ahead if moment > now), default=None)
    if soonest is not None:
        return soonest
    missed = max(0, (now - day) // timedelta(days=every_days))
    return day + (missed + 1) * timedelta(days=every_days)
