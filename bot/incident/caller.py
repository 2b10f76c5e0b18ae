"""Who asks for a use case, and by which inbound act. Made at the edge, trusted inside."""

from __future__ import annotations

from dataclasses import dataclass

from bot.incident.incident import Actor
from bot.incident.words import Via


@dataclass(frozen=True)
class Caller:
    actor: Actor
    inbound: str | None = None
    """The inbound act's own id (design law 4); None where a repeat is harmless."""
    full_member: bool = True
    """The workspace knows them as a full member: not a guest, not a bot, not from another organisation."""
    via: Via | None = None
    """From where they acted, for the timeline; None where it is not known."""
