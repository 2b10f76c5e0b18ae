"""Evidence: a piece of it, its bytes while they are on their way, and by what it is known again.

Decides what is stored of each. The bytes lie in the vault (`bot.evidence`), under their SHA-256. Who handled a piece, when and
from where is in the incident's timeline: custody is hash-chained as everything else is.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from bot.incident.columns import JSON_COLUMN, Json, UtcDateTime, Word
from bot.incident.words import EvidenceKind, EvidenceState


class Evidence(SQLModel, table=True):
    """One piece of evidence: the digest of the original, and a redacted excerpt that may be shown."""

    __table_args__ = (
        UniqueConstraint("incident", "name", "sha256", name="ux_evidence_incident_name_sha256"),
        Index("ix_evidence_sha256", "sha256"),
    )

    id: int | None = Field(default=None, primary_key=True)
    incident: int = Field(foreign_key="incident.number", index=True)
    kind: EvidenceKind = Field(sa_type=Word(EvidenceKind))
    name: str = Field(max_length=200)
    """As people named it, redacted; never a path."""
    sha256: str = Field(max_length=64)
    """Of the original bytes; empty while they were never seen (`WAITING` for Slack, or `LOST` before they came)."""
    size: int
    media_type: str = Field(default="text/plain", max_length=120)
    excerpt: str
    source: str = Field(max_length=120)
    """From where it came: an alert's source, `slack`, a connector's name, `cli`."""
    origin: Json = Field(default_factory=dict, sa_type=JSON_COLUMN)
    """Ids by which its source knows it: a Slack file, a message with its channel, an action."""
    note: str | None = None
    state: EvidenceState = Field(default=EvidenceState.HASH_ONLY, sa_type=Word(EvidenceState))
    captured_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When what it shows was so; None where nobody said."""
    added_by: str = Field(max_length=120)
    added_at: datetime = Field(sa_type=UtcDateTime)
    kept_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class WaitingBytes(SQLModel, table=True):
    """Bytes that came in with a transaction. An intent carries them to the vault, and this row goes with its end."""

    __tablename__ = "waiting_bytes"
    __table_args__ = (Index("ix_waiting_bytes_at", "at"),)

    sha256: str = Field(primary_key=True, max_length=64)
    content: bytes = Field(sa_type=LargeBinary)
    at: datetime = Field(sa_type=UtcDateTime)


class Fingerprint(SQLModel, table=True):
    """What an attack's payload is known by, however it is dressed: similar incidents and recurrences are found by it."""

    __table_args__ = (
        UniqueConstraint("incident", "value", name="ux_fingerprint_incident_value"),
        Index("ix_fingerprint_value", "value"),
    )

    id: int | None = Field(default=None, primary_key=True)
    incident: int = Field(foreign_key="incident.number", index=True)
    value: str = Field(max_length=64)
    evidence: int | None = Field(default=None, foreign_key="evidence.id")
    at: datetime = Field(sa_type=UtcDateTime)
