"""The incident and what came in about it: incident, alert, gathered subject, role, the counter of numbers.

Decides which facts are stored. Which moves are legal is `lifecycle`'s; who may make them is `approval`'s.
Times are stored facts (design law 12): what is not known is None, never zero.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict
from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bot.incident.columns import JSON_COLUMN, Number, UtcDateTime, Word
from bot.incident.words import ActorKind, Category, DetectionMethod, Role, Severity, Status, SubjectKind

OPEN_INCIDENT = text("ended_at IS NULL AND dedup_key IS NOT NULL")


class Actor(SQLModel):
    """Who did it. `id` is a Slack user id for a person, a source for an alert, a connector's name, or `firsthour`."""

    model_config = ConfigDict(frozen=True)  # type: ignore[assignment]

    kind: ActorKind
    id: str


SYSTEM = Actor(kind=ActorKind.SYSTEM, id="firsthour")


def person(user_id: str) -> Actor:
    return Actor(kind=ActorKind.PERSON, id=user_id)


GLASS_BROKEN = "glass_broken"
"""The name of the counter of actions that were carried out by break-glass, without drills."""


class Counter(SQLModel, table=True):
    """Hands out incident numbers without gaps: a refused insert gives its number back with the rollback."""

    name: str = Field(primary_key=True, max_length=40)
    value: int = 0


class Incident(SQLModel, table=True):
    __table_args__ = (
        Index(
            "ux_incident_open_dedup",
            "dedup_key",
            unique=True,
            sqlite_where=OPEN_INCIDENT,
            postgresql_where=OPEN_INCIDENT,
        ),
        Index("ix_incident_ended_at_severity", "ended_at", "severity"),
        Index("ix_incident_ended_at_trigger_app", "ended_at", "trigger", "app"),
        Index("ix_incident_declared_at", "declared_at"),
        Index("ix_incident_subject_id_trigger", "subject_id", "trigger"),
    )

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    title: str = Field(max_length=300)
    summary: str | None = None
    severity: Severity = Field(sa_type=Number(Severity))
    status: Status = Field(default=Status.OPEN, sa_type=Word(Status))
    trigger: str | None = Field(default=None, max_length=80, index=True)
    category: Category | None = Field(default=None, sa_type=Word(Category))
    scenario: str | None = Field(default=None, max_length=80)
    subject_kind: SubjectKind = Field(default=SubjectKind.UNKNOWN, sa_type=Word(SubjectKind))
    subject_id: str | None = Field(default=None, max_length=300)
    app: str | None = Field(default=None, max_length=120, index=True)
    session_id: str | None = Field(default=None, max_length=300)
    detection: DetectionMethod = Field(default=DetectionMethod.AUTOMATED, sa_type=Word(DetectionMethod))
    drill: bool = False
    declared_by: str = Field(max_length=120)
    dedup_key: str | None = Field(default=None, max_length=64)
    """sha256 of trigger, subject and app; None for incidents that a person declared."""
    alert_count: int = 0
    gathered: int = 0
    """How many other subjects were gathered into this incident during a storm."""
    gathers_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Until then alerts about new subjects come here; None where it never was a storm."""
    announced_by: int | None = Field(default=None, index=True)
    """The incident on whose line stakeholders read about this one; None where it has a line of its own."""
    playbook_digest: str = Field(max_length=64)

    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    detected_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    declared_at: datetime = Field(sa_type=UtcDateTime)
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    contained_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    remediated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Set while the incident takes no more alerts: resolved, closed, false positive, duplicate."""
    acknowledge_by: datetime | None = Field(default=None, sa_type=UtcDateTime)
    severity_confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    briefed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    channel_id: str | None = Field(default=None, max_length=40, index=True)
    channel_name: str | None = Field(default=None, max_length=80)
    late_told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When the room was last told that its messages are late; None where they never were."""
    duplicate_of: int | None = None
    recurrence_of: int | None = Field(default=None, index=True)
    """The ended incident that came back with this one; None where it is the first."""
    resolution: str | None = None
    tags: list[str] | None = Field(default=None, sa_type=JSON_COLUMN)
    """Techniques that were found to be used (MITRE ATLAS and OWASP LLM ids), beside what trigger and category imply. None while
    nobody classified it."""

    validation_waived_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    validation_waived_by: str | None = Field(default=None, max_length=120)
    validation_waiver: str | None = None
    """Why it was resolved without a proof that the fix holds; the review prints it."""
    review_due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    review_held_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    monitored_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Until then a recurrence is looked for with more attention; None where nobody began it."""

    head_seq: int = 0
    head_hash: str = Field(default="0" * 64, max_length=64)

    @property
    def name(self) -> str:
        """`INC-12`"""
        return f"INC-{self.number}"

    @property
    def unacknowledged(self) -> bool:
        """Nobody has answered since it was opened, or opened again. `acknowledged_at` stays the first time it was."""
        return self.status in {Status.OPEN, Status.REOPENED}


class Alert(SQLModel, table=True):
    """One alert as it was received, redacted. Unique per source and external id: a redelivery changes nothing."""

    __table_args__ = (
        UniqueConstraint("source", "external_id", name="ux_alert_source_external_id"),
        Index("ix_alert_trigger_received_at", "trigger", "received_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    incident: int = Field(foreign_key="incident.number", index=True)
    source: str = Field(max_length=80)
    external_id: str = Field(max_length=300)
    trigger: str = Field(max_length=80)
    title: str = Field(max_length=300)
    severity: Severity = Field(sa_type=Number(Severity))
    received_at: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    detected_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answer: str = Field(max_length=20)
    """`opened` or `attached`: what the sender was told."""


class GatheredSubject(SQLModel, table=True):
    """A further subject of a storm: it has no room of its own, its alerts are counted in the incident that gathers."""

    __tablename__ = "gathered_subject"
    __table_args__ = (
        UniqueConstraint("incident", "dedup_key", name="ux_gathered_subject_incident_dedup_key"),
        Index("ix_gathered_subject_dedup_key", "dedup_key"),
    )

    id: int | None = Field(default=None, primary_key=True)
    incident: int = Field(foreign_key="incident.number", index=True)
    dedup_key: str = Field(max_length=64)
    """As in `Incident`: trigger, subject and app."""
    subject_kind: SubjectKind = Field(sa_type=Word(SubjectKind))
    subject_id: str | None = Field(default=None, max_length=300)
    session_id: str | None = Field(default=None, max_length=300, index=True)
    """The session in which it was seen last: what fires on that alone is about this subject too."""
    alerts: int = 1
    first_at: datetime = Field(sa_type=UtcDateTime)


class RoleHeld(SQLModel, table=True):
    """Who holds a role in an incident now. Who held it before is in the timeline."""

    __tablename__ = "role"
    __table_args__ = (UniqueConstraint("incident", "role", name="ux_role_incident_role"),)

    id: int | None = Field(default=None, primary_key=True)
    incident: int = Field(foreign_key="incident.number", index=True)
    role: Role = Field(sa_type=Word(Role))
    person: str = Field(max_length=40)
    since: datetime = Field(sa_type=UtcDateTime)
    by: str = Field(max_length=120)


class StakeholderUpdate(SQLModel, table=True):
    """One update for people outside the room. Only what may be public."""

    __tablename__ = "stakeholder_update"

    id: int | None = Field(default=None, primary_key=True)
    incident: int = Field(foreign_key="incident.number", index=True)
    text: str
    by: str = Field(max_length=120)
    at: datetime = Field(sa_type=UtcDateTime)
