"""Which incidents metrics are about: from when on, until when. Pure.

Decides how people write a span of time: `90d`, `12w`, or a day.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

DEFAULT = "90d"
SPAN = re.compile(r"([0-9]{1,4})([dw])")
DAYS = {"d": 1, "w": 7}
MOST_DAYS = 3660
HOW = "Write how far back (`90d`, `12w`) or a day (`2026-01-01`), at most ten years ago."


def moment(text: str, now: datetime) -> datetime:
    """`90d`, `12w`, `2026-01-01` (its beginning, UTC) or a time with its zone. Raises ValueError in words for the person."""
    written = text.strip().casefold()
    if found := SPAN.fullmatch(written):
        days = int(found[1]) * DAYS[found[2]]
        if 1 <= days <= MOST_DAYS:
            return now - timedelta(days=days)
        raise ValueError(f"“{text.strip()[:20]}” is not a span of time. {HOW}")
    try:
        at = datetime.fromisoformat(written.upper())
    except ValueError:
        raise ValueError(f"“{text.strip()[:20]}” is not a span of time. {HOW}") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if at.year < now.year - 11:
        raise ValueError(f"“{text.strip()[:20]}” is too long ago. {HOW}")
    return at.astimezone(UTC)


def span(since: str, until: str | None, now: datetime) -> tuple[datetime, datetime]:
    """From when on, and until before when; without an end, what was declared this very instant is in it.

    Raises ValueError where one cannot be read, or the first is not before the second.
    """
    ends = now + timedelta(microseconds=1) if until is None else moment(until, now)
    begins = moment(since, now)
    if begins >= ends:
        raise ValueError("The time to begin with is not before the time to end with.")
    return begins, ends
