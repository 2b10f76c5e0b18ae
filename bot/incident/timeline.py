"""The timeline: append-only, hash-chained per incident (design law 11). Corrections are new entries.

Decides what a link covers and how a chain is proven. Who appends is `bot.store.unit`'s.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from bot.incident.columns import JSON_COLUMN, Json, UtcDateTime, Word
from bot.incident.errors import ChainBroken
from bot.incident.words import ActorKind

GENESIS = "0" * 64


class Happened(StrEnum):
    """What a timeline entry says. `describe` in `bot.incident.narrative` has the sentence for each."""

    OPENED = "opened"
    ALERT_ATTACHED = "alert_attached"
    STORM_BEGAN = "storm_began"
    EVIDENCE_ADDED = "evidence_added"
    ROOM_OPENED = "room_opened"
    ACKNOWLEDGED = "acknowledged"
    STATUS_CHANGED = "status_changed"
    SEVERITY_CHANGED = "severity_changed"
    TRIGGER_CHANGED = "trigger_changed"
    SEVERITY_CONFIRMED = "severity_confirmed"
    ROLE_TAKEN = "role_taken"
    JOINED = "joined"
    NOTE = "note"
    UPDATE_POSTED = "update_posted"
    PHASE_BEGAN = "phase_began"
    STEP_DONE = "step_done"
    STEP_SKIPPED = "step_skipped"
    STEP_ASSIGNED = "step_assigned"
    STEP_NOTED = "step_noted"
    STEP_UNDONE = "step_undone"
    ACTION_PROPOSED = "action_proposed"
    ACTION_SIGNED = "action_signed"
    ACTION_APPROVED = "action_approved"
    ACTION_DECLINED = "action_declined"
    ACTION_RESTATED = "action_restated"
    GLASS_BROKEN = "glass_broken"
    ACTION_EXPIRED = "action_expired"
    ACTION_EXECUTING = "action_executing"
    ACTION_VERIFIED = "action_verified"
    ACTION_FAILED = "action_failed"
    ACTION_UNKNOWN = "action_unknown"
    REVERT_ASKED = "revert_asked"
    ACTION_REVERTED = "action_reverted"
    REVERT_FAILED = "revert_failed"
    ACTION_TEMPORARY = "action_temporary"
    ACTION_KEPT = "action_kept"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    SNOOZED = "snoozed"
    GAVE_UP = "gave_up"
    EVIDENCE_KEPT = "evidence_kept"
    EVIDENCE_READ = "evidence_read"
    EVIDENCE_LOST = "evidence_lost"
    EVIDENCE_WAIVED = "evidence_waived"
    CLASSIFIED = "classified"
    EXPOSURE_ESTIMATED = "exposure_estimated"
    QUESTION_ANSWERED = "question_answered"
    HANDED_OVER = "handed_over"
    VALIDATION_STARTED = "validation_started"
    VALIDATION_STOPPED = "validation_stopped"
    VALIDATED = "validated"
    VALIDATION_WAIVED = "validation_waived"
    DOCUMENT_WRITTEN = "document_written"
    DOCUMENT_RELEASED = "document_released"
    REVIEW_PLANNED = "review_planned"
    REVIEW_HELD = "review_held"
    ITEM_ADDED = "item_added"
    ITEM_CHANGED = "item_changed"
    ITEM_DONE = "item_done"
    ITEM_DROPPED = "item_dropped"
    RISK_ENTERED = "risk_entered"
    RISK_CHANGED = "risk_changed"
    MONITORING_BEGAN = "monitoring_began"
    MONITORING_ENDED = "monitoring_ended"
    RECURRED = "recurred"


class TimelineEntry(SQLModel, table=True):
    __tablename__ = "timeline_entry"
    __table_args__ = (UniqueConstraint("incident", "seq", name="ux_timeline_entry_incident_seq"),)

    id: int | None = Field(default=None, primary_key=True)
    incident: int = Field(foreign_key="incident.number", index=True)
    seq: int
    at: datetime = Field(sa_type=UtcDateTime)
    kind: Happened = Field(sa_type=Word(Happened))
    actor_kind: ActorKind = Field(sa_type=Word(ActorKind))
    actor: str = Field(max_length=120)
    data: Json = Field(default_factory=dict, sa_type=JSON_COLUMN)
    prev_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


COVERED = ("prev_hash", "incident", "seq", "at", "kind", "actor_kind", "actor", "data")


def link(entry: Mapping[str, Any]) -> str:
    """sha256 over the previous link and every field of this one, as canonical JSON (sorted keys, UTC microseconds)."""
    covered = [entry[name] for name in COVERED]
    canonical = json.dumps(covered, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_instant)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _instant(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    raise TypeError(f"a {type(value).__name__} has no place in a timeline entry")


def prove(number: int, entries: Iterable[Mapping[str, Any]], *, head_seq: int, head_hash: str) -> int:
    """Walk the chain in order of `seq` and return its length. Raises ChainBroken naming the first broken link.

    Entries are rows: of the store, or of an export. The head (kept with the incident) is what makes a cut tail visible.
    """
    name, previous, expected = f"INC-{number}", GENESIS, 1
    for entry in entries:
        seq = int(entry["seq"])
        if seq != expected:
            raise ChainBroken(name, expected, f"entry {expected} is missing, entry {seq} follows")
        if entry["prev_hash"] != previous:
            raise ChainBroken(name, seq, "it does not continue the entry before it")
        if link(entry) != entry["hash"]:
            raise ChainBroken(name, seq, "its content does not match its hash")
        previous, expected = entry["hash"], expected + 1
    if expected - 1 < head_seq:
        raise ChainBroken(name, expected, f"entries {expected} to {head_seq} are missing at the end")
    if (expected - 1, previous) != (head_seq, head_hash):
        raise ChainBroken(name, expected - 1, "the incident's record of its last entry says otherwise")
    return expected - 1
