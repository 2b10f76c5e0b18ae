"""What has to be done in an incident: checklist steps, containment actions, the approvals of an action.

Decides what is stored of each. Composition of steps is the playbook's; who may approve is `approval`'s.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bot.incident.columns import JSON_COLUMN, Json, UtcDateTime, Word
from bot.incident.words import ActionKind, ActionState, Decision, Phase, ScopeKind, StepButton, StepState


class Step(SQLModel, table=True):
    """One line of a checklist."""

    __table_args__ = (UniqueConstraint("incident", "step_id", name="ux_step_incident_step_id"),)

    id: int | None = Field(default=None, primary_key=True)
    incident: int = Field(foreign_key="incident.number", index=True)
    position: int
    step_id: str = Field(max_length=120)
    phase: Phase = Field(sa_type=Word(Phase))
    section: str = Field(max_length=120)
    text: str
    role: str | None = Field(default=None, max_length=40)
    button: StepButton | None = Field(default=None, sa_type=Word(StepButton))
    action: ActionKind | None = Field(default=None, sa_type=Word(ActionKind))
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    due_after: int | None = None
    """Seconds after its phase begins; `due_at` is known from then on."""
    state: StepState = Field(default=StepState.OPEN, sa_type=Word(StepState))
    owner: str | None = Field(default=None, max_length=40)
    decided_by: str | None = Field(default=None, max_length=120)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    note: str | None = None
    """Why it was skipped, or what was found."""


class Action(SQLModel, table=True):
    """One containment action on one scope."""

    __table_args__ = (
        UniqueConstraint("incident", "index", name="ux_action_incident_index"),
        Index("ix_action_state_scope_id", "state", "scope_id"),
        Index("ix_action_reverted_at", "reverted_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    incident: int = Field(foreign_key="incident.number", index=True)
    index: int
    """1, 2, 3 … within the incident: what people type."""
    kind: ActionKind = Field(sa_type=Word(ActionKind))
    scope_kind: ScopeKind = Field(sa_type=Word(ScopeKind))
    scope_id: str = Field(max_length=300)
    connector: str = Field(max_length=80)
    why: str
    effect: str
    """What it does and on whom: the blast radius in words, bound by the digest."""
    reversible: bool
    signatures: int = 1
    """How many persons must approve: 2 for system-wide or irreversible actions (design law 8)."""
    edition: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    """How often it was stated: whatever changes what an approver decides about (who may, how many, how) counts it up."""
    alternative_to: ActionKind | None = Field(default=None, sa_type=Word(ActionKind))
    auto: bool = False
    state: ActionState = Field(default=ActionState.PROPOSED, sa_type=Word(ActionState))
    proposed_by: str = Field(max_length=120)
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    executed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    verified_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revert_asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revert_asked_by: str | None = Field(default=None, max_length=120)
    reverted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    result: str | None = None
    """What the connector said and how it was verified, in words."""
    snapshot: Json | None = Field(default=None, sa_type=JSON_COLUMN)
    """What the connector needs to revert: prior values, never secrets."""
    blast_calls: int | None = None
    """Requests of the last hour that it would have touched, as its connector said. None is not known, never zero."""
    blast_subjects: int | None = None
    """How many different subjects are among them."""
    blast_source: str | None = Field(default=None, max_length=200)
    """Where these figures come from, in words. They move, so no approval is bound to them."""
    blast_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When they were told; None while nobody was asked."""
    held_under: str | None = Field(default=None, max_length=400)
    """The key under which the system holds it, where another incident had contained the same target before."""
    temporary_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Then the room is asked whether to revert or keep it. Nothing ends by itself."""
    kept_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    kept_by: str | None = Field(default=None, max_length=120)
    kept_because: str | None = None
    """Why it is to stay in force; the review names it."""

    @property
    def key(self) -> str:
        """The idempotency key that the connector sends: `INC-12:3:user/mallory`."""
        return f"INC-{self.incident}:{self.index}:{self.scope_kind}/{self.scope_id}"

    @property
    def digest(self) -> str:
        """sha256 over everything that an approver is shown. An approval is bound to it; execution checks it again."""
        shown = [
            self.incident, self.index, self.kind, self.scope_kind, self.scope_id, self.connector, self.effect,
            self.reversible, self.signatures, *([self.edition] if self.edition > 1 else []),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(shown, ensure_ascii=False).encode()).hexdigest()


class Approval(SQLModel, table=True):
    """One decision of one person about one action, bound to the digest of what was shown."""

    __table_args__ = (UniqueConstraint("action", "person", name="ux_approval_action_person"),)

    id: int | None = Field(default=None, primary_key=True)
    incident: int = Field(foreign_key="incident.number", index=True)
    action: int = Field(foreign_key="action.id", index=True)
    decision: Decision = Field(sa_type=Word(Decision))
    person: str = Field(max_length=40)
    role: str = Field(max_length=40)
    digest: str = Field(max_length=64)
    at: datetime = Field(sa_type=UtcDateTime)
    reason: str | None = None
