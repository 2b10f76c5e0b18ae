"""“Since when?”, as people type it: `30m`, `2h`, `1d`, `14:30`, a whole time, `ack`. Pure.

Decides which moment is meant. What happened since then is the store's; how it is shown is the room's.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from bot.incident.errors import Invalid, Refused
from bot.incident.incident import Incident

SPAN = re.compile(r"(\d{1,6})\s*([mhdw])", re.ASCII)
MINUTES = {"m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}
OF_DAY = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)(?:\s*utc|z)?", re.ASCII)
LONGEST = timedelta(days=3650)
EXAMPLE = "/incident since 30m"
FORMS = "Write 30m, 2h, 1d, a time of day in UTC like 14:30, 2026-11-21T14:30, or ack"
ACK = frozenset({"ack", "acknowledged"})


def moment(text: str, incident: Incident, now: datetime) -> datetime:
    """Aware UTC, before `now`. A time of day is the last one that has passed. Raises Invalid; Refused for `ack` before it."""
    wanted = " ".join(text.casefold().split())
    if wanted in ACK:
        if incident.acknowledged_at is None:
            raise Refused(f"Nobody has acknowledged {incident.name} yet. Say since when: `{EXAMPLE}`.")
        return incident.acknowledged_at
    at = _span(wanted, now) or _of_day(wanted, now) or _whole(text.strip())
    if at is None:
        raise Invalid(f"That is no time. {FORMS}.", example=EXAMPLE, field="when")
    if at >= now:
        raise Invalid(f"{at:%Y-%m-%d %H:%M} UTC lies ahead. {FORMS}.", example=EXAMPLE, field="when")
    return at


def _span(text: str, now: datetime) -> datetime | None:
    found = SPAN.fullmatch(text)
    if found is None:
        return None
    return now - min(timedelta(minutes=int(found[1]) * MINUTES[found[2]]), LONGEST)


def _of_day(text: str, now: datetime) -> datetime | None:
    found = OF_DAY.fullmatch(text)
    if found is None:
        return None
    today = now.astimezone(UTC).replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
    return today if today < now else today - timedelta(days=1)


def _whole(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
