"""Whether a suppression covers a finding. Pure: the time and the tenant, which no finding names, are handed in.

Decides that all that a suppression names must hold, that touching its time is enough, and that one whose end has come, or
that was lifted, covers nothing. What a suppressed finding is still good for (log, counts) is whoever asks to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.detection.finding import Finding
from bot.incident.registered import Suppression

MOST_SUBJECTS = 100
"""A finding names no more of a fleet; there may be others that nothing covers (`Finding.subjects`)."""
SESSION = "session"


def suppressed_by(
    finding: Finding, tenant: str | None, suppressions: Sequence[Suppression], now: datetime
) -> Suppression | None:
    """The suppression by which this finding opens nothing; None where there is none.

    Of a fleet everybody must be covered, by whichever suppression; the first one is named then.
    """
    covering = [one for one in suppressions if one.running(now) and _about(one, finding, tenant)]
    for one in covering:
        if one.subject_id is None or _is(one, finding.subject_kind, finding.subject_id, finding.session_id):
            return one
    return _all_of_a_fleet(finding, covering)


def _about(one: Suppression, finding: Finding, tenant: str | None) -> bool:
    """Trigger, application, tenant and time fit; the subject is looked at apart."""
    began, ended = (datetime.fromtimestamp(at, UTC) for at in (finding.started_at, finding.completed_at))
    return (
        one.trigger in {None, finding.trigger}
        and one.app in {None, finding.app}
        and one.tenant in {None, tenant}
        and one.starts_at <= ended
        and began < one.ends_at
    )


def _is(one: Suppression, kind: str, subject: str | None, session: str | None = None) -> bool:
    if one.subject_kind == SESSION and session is not None and one.subject_id == session:
        return True
    return subject is not None and (one.subject_kind, one.subject_id) == (kind, subject)


def _all_of_a_fleet(finding: Finding, covering: Sequence[Suppression]) -> Suppression | None:
    if not 0 < len(finding.subjects) < MOST_SUBJECTS:
        return None
    found = [next((one for one in covering if _is(one, *subject)), None) for subject in finding.subjects]
    return found[0] if all(found) else None
