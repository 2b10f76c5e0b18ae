"""What the gate enforces, and who enforces it: the rules of approved actions, and the gates that follow them.

Decides what is stored of each. Writing and following them is `bot.gate`'s; what a rule does to a call is `bot.gate`'s too.
No foreign keys: a gate of its own needs rights on these two tables and on the counter, and on nothing else of the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from bot.incident.columns import UtcDateTime, Word
from bot.incident.words import ActionKind, ScopeKind

MEASURES = frozenset(
    {
        ActionKind.BLOCK_USER,
        ActionKind.RATE_LIMIT,
        ActionKind.ENABLE_SAFE_MODE,
        ActionKind.DISABLE_TOOLS,
        ActionKind.DISABLE_ENDPOINT,
        ActionKind.RESTRICT_RAG,
    }
)
"""The actions that a gate can enforce. Credentials and memory lie in other systems."""
VERSIONS = "gate"
"""The row of `Counter` that hands out versions of the policy. Every change of a rule takes the next one."""
LIVE = timedelta(seconds=15)
"""A gate that was not seen for longer is not counted: it beats every few seconds while it can reach the store."""


@dataclass(frozen=True)
class Wanted:
    """A rule before it is put: what one approved action asks of the gates. Fields as in `Rule`."""

    key: str
    incident: int
    kind: ActionKind
    scope_kind: ScopeKind
    scope_id: str
    per_minute: int = 1
    text: str | None = None


IN_FORCE = text("removed_at IS NULL")


class Rule(SQLModel, table=True):
    """One measure in force on one target, put there by one approved action. Removed rows stay: they are the record."""

    __tablename__ = "gate_rule"  # pyright: ignore[reportAssignmentType] -- a plain name is what SQLModel documents
    __table_args__ = (
        Index("ix_gate_rule_target_removed_at", "scope_kind", "scope_id", "removed_at"),
        Index("ix_gate_rule_in_force", "version", sqlite_where=IN_FORCE, postgresql_where=IN_FORCE),
    )

    key: str = Field(primary_key=True, max_length=400)
    """The action's idempotency key: `INC-12:3:user/mallory`."""
    incident: int
    kind: ActionKind = Field(sa_type=Word(ActionKind))
    """One of MEASURES."""
    scope_kind: ScopeKind = Field(sa_type=Word(ScopeKind))
    scope_id: str = Field(max_length=300)
    """As it came from outside: compared as a whole, never as a pattern. It means nothing where the scope is everyone."""
    per_minute: int = 1
    """Calls that a rate limit lets through in any sixty seconds. It means nothing for other measures."""
    text: str | None = None
    """The approved answer of safe mode; None where the gate's own words are given."""
    version: int = Field(index=True)
    """Of the policy, when this row was last changed: "everything after v" is what a gate asks for."""
    added_version: int
    """Of the policy, when it was put. Another `version` on a rule in force says that somebody changed it since."""
    added_at: datetime = Field(sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """None while it is in force."""

    @property
    def changed_since(self) -> bool:
        """True where it is in force and no longer what was put."""
        return self.removed_at is None and self.version != self.added_version


class GateReplica(SQLModel, table=True):
    """One gate that follows the policy: which version it holds, and when it was last seen."""

    __tablename__ = "gate_replica"  # pyright: ignore[reportAssignmentType] -- a plain name is what SQLModel documents

    id: str = Field(primary_key=True, max_length=120)
    """Made anew at each start."""
    address: str = Field(max_length=200)
    """Where it listens, for people: `10.0.0.7:8081`."""
    version: int
    seen_at: datetime = Field(sa_type=UtcDateTime)
