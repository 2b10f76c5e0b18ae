"""What must happen outside, and what came in: intents, surfaces, reminders, inbound keys, whose store it is.

Decides what is stored of each. Claiming and settling is `bot.store`'s; carrying out is the handler's of each kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from bot.incident.columns import JSON_COLUMN, Json, UtcDateTime, Word


class IntentKind(StrEnum):
    """Every kind of outward act, most urgent first: containment before opening before surfaces before chatter."""

    EXECUTE = "execute"
    REVERT = "revert"
    OPEN_ROOM = "open_room"
    SHOW = "show"
    PLAN = "plan"
    """Ask connectors what proposed actions would touch. Changes nothing outside."""
    INVITE = "invite"
    PIN = "pin"
    POST = "post"
    DIRECT = "direct"
    NOTICE = "notice"
    """Tell the stakeholders' channel what belongs to no incident."""
    KEEP = "keep"
    """Carry bytes that wait in the store to the vault."""
    FETCH = "fetch"
    """Bring a file of Slack's into the vault."""
    UPLOAD = "upload"
    """Make a document and share it in Slack."""
    TRACK = "track"
    """Open an issue for an action item where the organisation tracks them."""
    HOME = "home"
    """Show a person's Home tab anew."""


PRIORITY: dict[IntentKind, int] = {
    IntentKind.EXECUTE: 0,
    IntentKind.REVERT: 0,
    IntentKind.OPEN_ROOM: 10,
    IntentKind.SHOW: 20,
    IntentKind.PLAN: 28,
    IntentKind.INVITE: 30,
    IntentKind.DIRECT: 40,
    IntentKind.PIN: 50,
    IntentKind.NOTICE: 55,
    IntentKind.POST: 60,
    IntentKind.KEEP: 25,
    IntentKind.FETCH: 25,
    IntentKind.UPLOAD: 65,
    IntentKind.HOME: 70,
    IntentKind.TRACK: 75,
}
"""Smaller is more urgent. A surface adds its own place (`SURFACE_ORDER`); the severity breaks ties."""


IN_THE_ROOM = frozenset({IntentKind.INVITE, IntentKind.PIN, IntentKind.POST, IntentKind.UPLOAD})
"""What can only be done once the room is open."""
ROOM_AWAITED = "the room is not open yet"
"""The reason by which what waits for the room is found again once it is open."""
ROOM_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=1)
"""After the one, and at least as often as the other, it is looked at all the same: the room may never open."""


class IntentState(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    DONE = "done"
    GIVEN_UP = "given_up"


class Intent(SQLModel, table=True):
    """One outward act (design law 3): unique key, lease, attempts. `generation` counts how often it was asked for."""

    __table_args__ = (
        Index("ix_intent_state_due", "state", "due_at"),
        Index("ix_intent_incident_kind", "incident", "kind"),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=200, unique=True)
    kind: IntentKind = Field(sa_type=Word(IntentKind))
    incident: int | None = Field(default=None)
    args: Json = Field(default_factory=dict, sa_type=JSON_COLUMN)
    priority: int = 100
    state: IntentState = Field(default=IntentState.PENDING, sa_type=Word(IntentState))
    generation: int = 1
    attempts: int = 0
    uncertain: bool = False
    """True where an earlier attempt may have acted outside: look before repeating."""
    created_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    not_before: datetime = Field(sa_type=UtcDateTime)
    """A re-armed intent waits for this: many changes in a second become one update."""
    lease_owner: str | None = Field(default=None, max_length=60)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    error: str | None = None


class SurfaceKind(StrEnum):
    CARD = "card"
    PANEL = "panel"
    CHECKLIST = "checklist"
    ANNOUNCEMENT = "announcement"
    TOPIC = "topic"
    """Not a message but the room's topic, kept up to date in the same way."""
    DECISIONS = "decisions"
    """A direct message to the commander: what waits for a decision."""
    VALIDATION = "validation"
    """One replay of the attack: how far it is, and what it came to."""


SURFACE_ORDER = {
    SurfaceKind.CARD: 0,
    SurfaceKind.PANEL: 1,
    SurfaceKind.CHECKLIST: 2,
    SurfaceKind.ANNOUNCEMENT: 3,
    SurfaceKind.TOPIC: 4,
    SurfaceKind.VALIDATION: 5,
    SurfaceKind.DECISIONS: 20,
}
"""What is shown first where a room opens (design §6)."""


class Surface(SQLModel, table=True):
    """A message that is kept up to date: where it is, and the digest of what it shows.

    The row exists from the moment the surface is wanted; `ts` is known once it was posted.
    """

    __table_args__ = (UniqueConstraint("incident", "kind", "part", name="ux_surface_incident_kind_part"),)

    id: int | None = Field(default=None, primary_key=True)
    incident: int = Field(foreign_key="incident.number", index=True)
    kind: SurfaceKind = Field(sa_type=Word(SurfaceKind))
    part: str = Field(default="", max_length=40)
    """The phase of a checklist; of decisions the person, and the first action asked about (`U02BOB:3`); of a validation its
    run; empty elsewhere."""
    channel_id: str | None = Field(default=None, max_length=40)
    ts: str | None = Field(default=None, max_length=40)
    digest: str | None = Field(default=None, max_length=64)
    shown_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ReminderKind(StrEnum):
    WINDOW_START = "window_start"
    WINDOW_NUDGE = "window_nudge"
    ACKNOWLEDGE = "acknowledge"
    ACTION_EXPIRING = "action_expiring"
    ACTION_EXPIRY = "action_expiry"
    UPDATE_DUE = "update_due"
    TEMPORARY_OVER = "temporary_over"
    """An action's time to live is over: revert it or keep it?"""
    SIMILAR = "similar"
    """Soon after the opening: is a strongly alike incident known?"""
    REVIEW_DUE = "review_due"
    ITEM_DUE = "item_due"
    """Before and after an action item's due date; the owner is told, nobody else."""
    MONITORING_OVER = "monitoring_over"
    REGRESSION_DUE = "regression_due"
    """A closed incident's pack is replayed again."""
    RISK_DUE = "risk_due"


OUTLIVES = frozenset(
    {
        ReminderKind.TEMPORARY_OVER,
        ReminderKind.REVIEW_DUE,
        ReminderKind.ITEM_DUE,
        ReminderKind.MONITORING_OVER,
        ReminderKind.REGRESSION_DUE,
        ReminderKind.RISK_DUE,
    }
)
"""What the end of an incident does not stop: it is about what was left in force, or about what follows the end."""


class ReminderState(StrEnum):
    PENDING = "pending"
    FIRED = "fired"
    STOPPED = "stopped"


class Reminder(SQLModel, table=True):
    """One moment at which somebody may have to be told. Whether they are is decided when it is due."""

    __table_args__ = (Index("ix_reminder_state_due", "state", "due_at"),)

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=200, unique=True)
    incident: int = Field(foreign_key="incident.number", index=True)
    kind: ReminderKind = Field(sa_type=Word(ReminderKind))
    args: Json = Field(default_factory=dict, sa_type=JSON_COLUMN)
    due_at: datetime = Field(sa_type=UtcDateTime)
    state: ReminderState = Field(default=ReminderState.PENDING, sa_type=Word(ReminderState))
    fired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class Planned:
    """A reminder to be written, if there is none under its key."""

    key: str
    incident: int
    kind: ReminderKind
    due_at: datetime
    args: Json


class Deployment(SQLModel, table=True):
    """Which Firsthour this store belongs to: a random name, made with the store. One row.

    Messages carry it, so that two deployments that share an app's tokens, but no database, can be told apart.
    """

    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str = Field(max_length=40)
    made_at: datetime = Field(sa_type=UtcDateTime)


class InboundKey(SQLModel, table=True):
    """One inbound act that was counted (design law 4), and the answer it got."""

    __tablename__ = "inbound_key"
    __table_args__ = (Index("ix_inbound_key_at", "at"),)

    key: str = Field(primary_key=True, max_length=200)
    at: datetime = Field(sa_type=UtcDateTime)
    answer: str = ""
