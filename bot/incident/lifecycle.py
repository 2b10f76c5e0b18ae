"""Which moves of an incident are legal, and what each needs. One table; nothing else decides.

`move` reads the table and returns the facts to store, or raises Refused in words for the person who asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.incident.errors import Refused
from bot.incident.incident import Incident
from bot.incident.words import Status

S = Status
ENDED = frozenset({S.RESOLVED, S.CLOSED, S.FALSE_POSITIVE, S.DUPLICATE})
"""Statuses in which reminders stop and further alerts open a new incident."""


@dataclass(frozen=True)
class Move:
    stamps: str | None = None
    """The time of the incident that the move sets, where it is not known yet."""
    needs: tuple[str, ...] = ()
    """What must hold first: `reason` (in words), `duplicate_of` (another incident)."""


MOVES: dict[tuple[Status, Status], Move] = {
    (S.OPEN, S.ACKNOWLEDGED): Move(stamps="acknowledged_at"),
    (S.REOPENED, S.ACKNOWLEDGED): Move(stamps="acknowledged_at"),
    (S.ACKNOWLEDGED, S.CONTAINED): Move(stamps="contained_at"),
    (S.CONTAINED, S.ACKNOWLEDGED): Move(needs=("reason",)),  # containment was reverted or turned out not to hold
    (S.CONTAINED, S.REMEDIATED): Move(stamps="remediated_at"),
    (S.ACKNOWLEDGED, S.RESOLVED): Move(stamps="resolved_at", needs=("reason",)),  # nothing to contain
    (S.CONTAINED, S.RESOLVED): Move(stamps="resolved_at", needs=("reason",)),
    (S.REMEDIATED, S.RESOLVED): Move(stamps="resolved_at", needs=("reason",)),
    (S.RESOLVED, S.CLOSED): Move(stamps="closed_at"),
    (S.RESOLVED, S.REOPENED): Move(needs=("reason",)),
    (S.CLOSED, S.REOPENED): Move(needs=("reason",)),
    (S.FALSE_POSITIVE, S.REOPENED): Move(needs=("reason",)),
    (S.DUPLICATE, S.REOPENED): Move(needs=("reason",)),
    (S.OPEN, S.FALSE_POSITIVE): Move(stamps="closed_at", needs=("reason",)),
    (S.ACKNOWLEDGED, S.FALSE_POSITIVE): Move(stamps="closed_at", needs=("reason",)),
    (S.CONTAINED, S.FALSE_POSITIVE): Move(stamps="closed_at", needs=("reason",)),
    (S.OPEN, S.DUPLICATE): Move(stamps="closed_at", needs=("duplicate_of",)),
    (S.ACKNOWLEDGED, S.DUPLICATE): Move(stamps="closed_at", needs=("duplicate_of",)),
}

NEXT_STEP: dict[Status, str] = {
    S.OPEN: "Acknowledge it first: `/incident ack`.",
    S.ACKNOWLEDGED: "It can be contained, resolved, or marked as a false positive.",
    S.CONTAINED: "It can be remediated or resolved: `/incident resolve`.",
    S.REMEDIATED: "Resolve it: `/incident resolve`.",
    S.RESOLVED: "It can be closed (`/incident close`) or reopened.",
    S.CLOSED: "It is over. Reopen it with `/incident close --reopen` and a reason if it came back.",
    S.REOPENED: "Acknowledge it first: `/incident ack`.",
    S.FALSE_POSITIVE: "It was marked as a false positive. It can be reopened with a reason.",
    S.DUPLICATE: "It was marked as a duplicate. Work goes on in the other incident.",
}


def reachable(status: Status) -> tuple[Status, ...]:
    return tuple(to for (start, to) in MOVES if start is status)


def move(
    incident: Incident, to: Status, now: datetime, *, reason: str | None = None, duplicate_of: int | None = None
) -> None:
    """Set the status, its time and the end. Raises Refused where the table has no such move or a need is missing."""
    legal = MOVES.get((incident.status, to))
    if legal is None:
        here = incident.status.replace("_", " ")
        if incident.status is to:
            raise Refused(f"{incident.name} is already {here}. {NEXT_STEP[to]}")
        raise Refused(
            f"{incident.name} is {here} and cannot become {to.replace('_', ' ')}. {NEXT_STEP[incident.status]}"
        )
    if "reason" in legal.needs and not reason:
        raise Refused(f"Say why {incident.name} becomes {to.replace('_', ' ')}: the review prints it.")
    if "duplicate_of" in legal.needs and duplicate_of in {None, incident.number}:
        raise Refused(f"Say of which other incident {incident.name} is a duplicate.")
    incident.status = to
    if legal.stamps and getattr(incident, legal.stamps) is None:
        setattr(incident, legal.stamps, now)
    incident.ended_at = now if to in ENDED and incident.ended_at is None else incident.ended_at if to in ENDED else None
    if reason and to in ENDED:
        incident.resolution = reason
    if to is S.DUPLICATE:
        incident.duplicate_of = duplicate_of


def diagram() -> str:
    """The table as a Mermaid state diagram, for ARCHITECTURE.md."""
    arrows = "\n".join(f"    {start} --> {to}" for start, to in MOVES)
    return f"stateDiagram-v2\n    [*] --> open\n{arrows}"
