"""What fired, each with what suppresses it.

Decides whose a finding is: the tenant's whose events completed it. What suppresses is `bot.cases.suppressed`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.detection.event import Seen
from bot.detection.finding import Finding
from bot.watch.read import Fired

Suppressed = Callable[[Finding, str | None], str | None]
"""By what a finding of a tenant's is suppressed; None where nothing does."""


def judged(found: Sequence[Finding], seen: Sequence[Seen], suppressed_by: Suppressed) -> list[Fired]:
    """`seen`: what they fired on."""
    return [Fired(one, suppressed_by(one, _tenant(one, seen))) for one in found]


def _tenant(finding: Finding, seen: Sequence[Seen]) -> str | None:
    """Whose the events of the evidence are, as far as this step knows them: the event that completed it is in it."""
    ids = frozenset(finding.event_ids)
    of_it = (one.event for one in seen if one.event.event_id in ids or one.event.source_event_id in ids)
    return next((event.tenant for event in of_it if event.tenant is not None), None)
