"""A finding: a trigger that fired, on whom, by which evidence and when. What becomes of it is decided elsewhere.

Decides what a finding says. All of it can be shown: ids, counts and redacted excerpts.
"""

from __future__ import annotations

import msgspec

from bot.detection.event import Mark


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    trigger: str
    subject_kind: str
    """`user` wherever the event that completed the evidence names an end user, also where a session is counted by; otherwise
    `session`, `api_key`, `ip`, or `unknown` where nothing of the event names one."""
    subject_id: str | None
    app: str | None
    session_id: str | None
    """Of the event that completed the evidence."""
    id: str
    """The same whenever the same evidence fires again, after a restart or at another replica: counted once by it."""
    first: bool
    """False for more evidence within the cool-down of one that fired before."""
    started_at: float
    """When the first event of the evidence happened, Unix seconds."""
    completed_at: float
    """When the event that completed the evidence happened."""
    counts: dict[str, float]
    """What was counted, in words: `{"distinct results": 101}`. Unknown counts are left out."""
    window_seconds: float
    """0 for a single event."""
    event_ids: tuple[str, ...]
    """Of the latest events of the evidence, at most 20."""
    marks: tuple[Mark, ...] = ()
    """At most 20."""
    subjects: tuple[tuple[str, str], ...] = ()
    """Of a fleet: kind and id of those who took part, at most 100."""
    told: str | None = None
    """What the source itself showed of the text of the event that completed the evidence, redacted again."""
    text_ref: str | None = None
    """Where that text lies, as the source says. It is never fetched."""
    shadow: bool = False
    """Counted and shown, opens nothing."""
