"""What an incident's evidence says is at stake: so far, credentials.

Decides by what had to be redacted. What leaked, from whom and how bad it is, is `bot.detection`'s.
"""

from __future__ import annotations

from sqlmodel import select

from bot.incident.evidence import Evidence
from bot.incident.incident import Incident
from bot.incident.words import EvidenceKind
from bot.store import Unit

PLAIN, CREDENTIAL = EvidenceKind.TEXT, EvidenceKind.CREDENTIAL
REDACTED = "[redacted "
"""How a removed secret begins, ours or of whoever redacted before sending."""


def kind_of(redacted: str) -> EvidenceKind:
    """The kind of a piece of evidence that an alert brought, from its text after redaction."""
    return CREDENTIAL if REDACTED in redacted else PLAIN


async def at_stake(unit: Unit, incident: Incident) -> frozenset[str]:
    """The kinds of evidence that the incident has."""
    await unit.flush()
    kinds = select(Evidence.kind).where(Evidence.incident == incident.number).distinct()
    return frozenset((await unit.session.exec(kinds)).all())
