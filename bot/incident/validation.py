"""The proof of a fix: one run of replays, and each trial of it.

Decides what is stored. What a trial's outcome means and when a run verifies is `bot.validation`'s.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from bot.incident.columns import JSON_COLUMN, Json, UtcDateTime, Word
from bot.incident.words import RunState, TrialOutcome, Verdict


class ValidationRun(SQLModel, table=True):
    """One replay of the attack against a target that was mended, or is said to be."""

    __tablename__ = "validation_run"
    __table_args__ = (Index("ix_validation_run_state", "state"),)

    id: int | None = Field(default=None, primary_key=True)
    incident: int = Field(foreign_key="incident.number", index=True)
    target: str = Field(max_length=120)
    """A name of the organisation's file."""
    pack: str = Field(default="", max_length=64)
    """SHA-256 of the pack that is replayed; its bytes are evidence."""
    plan: Json = Field(default_factory=dict, sa_type=JSON_COLUMN)
    """What was asked for: trials, seed, variants, concurrency, budget."""
    target_version: str | None = Field(default=None, max_length=200)
    vulnerable_version: str | None = Field(default=None, max_length=200)
    contained_meanwhile: bool = False
    """Containment of the test's own identity was in force: it is verified under containment only."""
    regression: bool = False
    """Ran by the calendar, after the incident was closed."""
    state: RunState = Field(default=RunState.QUEUED, sa_type=Word(RunState))
    verdict: Verdict | None = Field(default=None, sa_type=Word(Verdict))
    reason: str | None = None
    started_by: str = Field(max_length=120)
    started_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    report: Json = Field(default_factory=dict, sa_type=JSON_COLUMN)
    """By payload: trials, outcomes, the bound. Hashes and redacted excerpts only."""
    lease_owner: str | None = Field(default=None, max_length=60)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Trial(SQLModel, table=True):
    """One payload, or one variant of it, sent once. Unique in its run: a resumed run repeats none that was stored."""

    __table_args__ = (
        UniqueConstraint("run", "payload", "variant", "attempt", name="ux_trial_run_payload_variant_attempt"),
    )

    id: int | None = Field(default=None, primary_key=True)
    run: int = Field(foreign_key="validation_run.id", index=True)
    payload: str = Field(max_length=64)
    """SHA-256 of the payload as the pack has it. `positive` and `benign` controls have their own."""
    variant: str = Field(max_length=80)
    """`original`, or the family and its number: `base64`, `homoglyph.2`; `control.benign` …"""
    attempt: int
    outcome: TrialOutcome = Field(sa_type=Word(TrialOutcome))
    detail: str = Field(default="", max_length=300)
    """Which indicator, which status, in words; redacted."""
    excerpt: str = Field(default="", max_length=300)
    """Of the answer, redacted."""
    answer_sha256: str | None = Field(default=None, max_length=64)
    milliseconds: int | None = None
    at: datetime = Field(sa_type=UtcDateTime)
