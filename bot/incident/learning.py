"""What is learned of an incident: how far it went, answers of the review, action items, risks.

Decides what is stored. What nobody provided is None or has no row: the review prints it as not provided, and invents nothing.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from bot.incident.columns import JSON_COLUMN, UtcDateTime, Word
from bot.incident.words import ItemKind, ItemState, Level, Treatment


class Exposure(SQLModel, table=True):
    """How far it went, as it is known now. What was thought before is in the timeline."""

    incident: int = Field(primary_key=True, foreign_key="incident.number", sa_column_kwargs={"autoincrement": False})
    models: list[str] = Field(default_factory=list, sa_type=JSON_COLUMN)
    environments: list[str] = Field(default_factory=list, sa_type=JSON_COLUMN)
    data_classes: list[str] = Field(default_factory=list, sa_type=JSON_COLUMN)
    users_exposed: int | None = None
    records_exposed: int | None = None
    basis: str | None = None
    """On what the numbers rest: counted in logs, estimated from traffic, unknown."""
    by: str = Field(max_length=120)
    at: datetime = Field(sa_type=UtcDateTime)


class ReviewAnswer(SQLModel, table=True):
    """What a person answered to one question of the review's template: root cause, gaps, what went well."""

    __tablename__ = "review_answer"
    __table_args__ = (UniqueConstraint("incident", "question", name="ux_review_answer_incident_question"),)

    id: int | None = Field(default=None, primary_key=True)
    incident: int = Field(foreign_key="incident.number", index=True)
    question: str = Field(max_length=80)
    """An id of `playbooks/review.yaml`: of a question, or of a section that people fill; or `factors`, `lucky`."""
    text: str
    by: str = Field(max_length=120)
    at: datetime = Field(sa_type=UtcDateTime)


class ActionItem(SQLModel, table=True):
    """What must change so that it does not happen again."""

    __tablename__ = "action_item"
    __table_args__ = (
        UniqueConstraint("incident", "key", name="ux_action_item_incident_key"),
        Index("ix_action_item_owner_state", "owner", "state"),
        Index("ix_action_item_state_due", "state", "due_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    incident: int = Field(foreign_key="incident.number", index=True)
    key: str | None = Field(default=None, max_length=80)
    """The template's id where it was filled in from the playbook; None where a person wrote it."""
    text: str
    kind: ItemKind = Field(sa_type=Word(ItemKind))
    role: str | None = Field(default=None, max_length=80)
    """The roster's role that it waits for while nobody owns it."""
    owner: str | None = Field(default=None, max_length=40)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    state: ItemState = Field(default=ItemState.PENDING, sa_type=Word(ItemState))
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    done_by: str | None = Field(default=None, max_length=120)
    link: str | None = Field(default=None, max_length=500)
    """Where it is tracked: an issue of GitHub or Jira."""
    created_by: str = Field(default="firsthour", max_length=120)
    created_at: datetime = Field(sa_type=UtcDateTime)


class Risk(SQLModel, table=True):
    """One entry of the model risk register."""

    __table_args__ = (Index("ix_risk_owner_closed_at", "owner", "closed_at"),)

    id: int | None = Field(default=None, primary_key=True)
    incident: int = Field(foreign_key="incident.number", index=True)
    text: str
    likelihood: Level = Field(sa_type=Word(Level))
    impact: Level = Field(sa_type=Word(Level))
    treatment: Treatment = Field(sa_type=Word(Treatment))
    owner: str | None = Field(default=None, max_length=40)
    review_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_by: str = Field(max_length=120)
    created_at: datetime = Field(sa_type=UtcDateTime)


class MeasuredMonth(SQLModel, table=True):
    """What metrics read of a month's incidents that have ended: one row instead of hundreds. Derived; the incidents stay the
    truth."""

    __tablename__ = "measured_month"

    month: str = Field(primary_key=True, max_length=7)
    """`2026-11`, by when they were declared, UTC."""
    ended: bytes = Field(sa_type=LargeBinary)
    """As `bot.store.months` packs them."""


class MeasuredAnew(SQLModel, table=True):
    """An ended incident that has changed since its month was put away: until the month is put away again, metrics read it
    itself."""

    __tablename__ = "measured_anew"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    """Of the incident."""
    month: str = Field(max_length=7, index=True)
