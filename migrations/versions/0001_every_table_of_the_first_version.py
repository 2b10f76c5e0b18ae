"""Every table of the first version, and a timeline that takes no change (design law 11).

Decides only this step of the schema. A merged migration is never edited: its hash is pinned in `tests/store/test_schema.py`.
Whoever rebuilds `timeline_entry` on SQLite in a later migration (batch mode copies the table) creates its triggers anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WORD = sa.String(length=40)
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
OPEN = sa.text("ended_at IS NULL AND dedup_key IS NOT NULL")

APPEND_ONLY_SQLITE = """
CREATE TRIGGER timeline_entry_no_{verb} BEFORE {verb} ON timeline_entry
BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END
"""
APPEND_ONLY_FUNCTION = """
CREATE FUNCTION timeline_entry_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the timeline is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$
"""
APPEND_ONLY_POSTGRES = """
CREATE TRIGGER timeline_entry_no_{verb} BEFORE {verb} ON timeline_entry
FOR EACH STATEMENT EXECUTE FUNCTION timeline_entry_append_only()
"""


def counter() -> None:
    op.create_table(
        "counter",
        sa.Column("name", WORD, nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def deployment() -> None:
    op.create_table(
        "deployment",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", WORD, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def inbound_key() -> None:
    op.create_table(
        "inbound_key",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )


def incident() -> None:
    op.create_table(
        "incident",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("summary", sa.String(), nullable=True),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("trigger", sa.String(length=80), nullable=True),
        sa.Column("category", WORD, nullable=True),
        sa.Column("scenario", sa.String(length=80), nullable=True),
        sa.Column("subject_kind", WORD, nullable=False),
        sa.Column("subject_id", sa.String(length=300), nullable=True),
        sa.Column("app", sa.String(length=120), nullable=True),
        sa.Column("session_id", sa.String(length=300), nullable=True),
        sa.Column("detection", WORD, nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("declared_by", sa.String(length=120), nullable=False),
        sa.Column("dedup_key", sa.String(length=64), nullable=True),
        sa.Column("alert_count", sa.Integer(), nullable=False),
        sa.Column("gathered", sa.Integer(), nullable=False),
        sa.Column("gathers_until", TIME, nullable=True),
        sa.Column("playbook_digest", sa.String(length=64), nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("detected_at", TIME, nullable=True),
        sa.Column("declared_at", TIME, nullable=False),
        sa.Column("acknowledged_at", TIME, nullable=True),
        sa.Column("contained_at", TIME, nullable=True),
        sa.Column("remediated_at", TIME, nullable=True),
        sa.Column("resolved_at", TIME, nullable=True),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("acknowledge_by", TIME, nullable=True),
        sa.Column("severity_confirmed_at", TIME, nullable=True),
        sa.Column("briefed_at", TIME, nullable=True),
        sa.Column("channel_id", WORD, nullable=True),
        sa.Column("channel_name", sa.String(length=80), nullable=True),
        sa.Column("late_told_at", TIME, nullable=True),
        sa.Column("duplicate_of", sa.Integer(), nullable=True),
        sa.Column("resolution", sa.String(), nullable=True),
        sa.Column("head_seq", sa.Integer(), nullable=False),
        sa.Column("head_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_incident_channel_id", "incident", ["channel_id"])
    op.create_index("ix_incident_ended_at_severity", "incident", ["ended_at", "severity"])
    op.create_index("ix_incident_trigger", "incident", ["trigger"])
    op.create_index(
        "ux_incident_open_dedup", "incident", ["dedup_key"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
    )


def intent() -> None:
    op.create_table(
        "intent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("incident", sa.Integer(), nullable=True),
        sa.Column("args", JSON, nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("uncertain", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("not_before", TIME, nullable=False),
        sa.Column("lease_owner", sa.String(length=60), nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("settled_at", TIME, nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_intent_incident_kind", "intent", ["incident", "kind"])
    op.create_index("ix_intent_state_due", "intent", ["state", "due_at"])


def action() -> None:
    op.create_table(
        "action",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("scope_kind", WORD, nullable=False),
        sa.Column("scope_id", sa.String(length=300), nullable=False),
        sa.Column("connector", sa.String(length=80), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("effect", sa.String(), nullable=False),
        sa.Column("reversible", sa.Boolean(), nullable=False),
        sa.Column("signatures", sa.Integer(), nullable=False),
        sa.Column("alternative_to", WORD, nullable=True),
        sa.Column("auto", sa.Boolean(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("proposed_by", sa.String(length=120), nullable=False),
        sa.Column("proposed_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("executed_at", TIME, nullable=True),
        sa.Column("verified_at", TIME, nullable=True),
        sa.Column("revert_asked_at", TIME, nullable=True),
        sa.Column("revert_asked_by", sa.String(length=120), nullable=True),
        sa.Column("reverted_at", TIME, nullable=True),
        sa.Column("result", sa.String(), nullable=True),
        sa.Column("snapshot", JSON, nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("incident", "index", name="ux_action_incident_index"),
    )
    op.create_index("ix_action_incident", "action", ["incident"])


def action_item() -> None:
    op.create_table(
        "action_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("owner", WORD, nullable=True),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("done_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_action_item_incident", "action_item", ["incident"])


def alert() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("external_id", sa.String(length=300), nullable=False),
        sa.Column("trigger", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("detected_at", TIME, nullable=True),
        sa.Column("answer", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source", "external_id", name="ux_alert_source_external_id"),
    )
    op.create_index("ix_alert_incident", "alert", ["incident"])


def gathered_subject() -> None:
    op.create_table(
        "gathered_subject",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("dedup_key", sa.String(length=64), nullable=False),
        sa.Column("subject_kind", WORD, nullable=False),
        sa.Column("subject_id", sa.String(length=300), nullable=True),
        sa.Column("alerts", sa.Integer(), nullable=False),
        sa.Column("first_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("incident", "dedup_key", name="ux_gathered_subject_incident_dedup_key"),
    )
    op.create_index("ix_gathered_subject_incident", "gathered_subject", ["incident"])
    op.create_index("ix_gathered_subject_dedup_key", "gathered_subject", ["dedup_key"])


def evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("excerpt", sa.String(), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("added_by", sa.String(length=120), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("incident", "name", "sha256", name="ux_evidence_incident_name_sha256"),
    )
    op.create_index("ix_evidence_incident", "evidence", ["incident"])


def reminder() -> None:
    op.create_table(
        "reminder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("args", JSON, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("fired_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_reminder_incident", "reminder", ["incident"])
    op.create_index("ix_reminder_state_due", "reminder", ["state", "due_at"])


def role() -> None:
    op.create_table(
        "role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("role", WORD, nullable=False),
        sa.Column("person", WORD, nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("incident", "role", name="ux_role_incident_role"),
    )
    op.create_index("ix_role_incident", "role", ["incident"])


def stakeholder_update() -> None:
    op.create_table(
        "stakeholder_update",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_stakeholder_update_incident", "stakeholder_update", ["incident"])


def step() -> None:
    op.create_table(
        "step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.String(length=120), nullable=False),
        sa.Column("phase", WORD, nullable=False),
        sa.Column("section", sa.String(length=120), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("role", WORD, nullable=True),
        sa.Column("button", WORD, nullable=True),
        sa.Column("action", WORD, nullable=True),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("due_after", sa.Integer(), nullable=True),
        sa.Column("state", WORD, nullable=False),
        sa.Column("owner", WORD, nullable=True),
        sa.Column("decided_by", sa.String(length=120), nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("incident", "step_id", name="ux_step_incident_step_id"),
    )
    op.create_index("ix_step_incident", "step", ["incident"])


def surface() -> None:
    op.create_table(
        "surface",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("part", WORD, nullable=False),
        sa.Column("channel_id", WORD, nullable=True),
        sa.Column("ts", WORD, nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("shown_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("incident", "kind", "part", name="ux_surface_incident_kind_part"),
    )
    op.create_index("ix_surface_incident", "surface", ["incident"])


def timeline_entry() -> None:
    op.create_table(
        "timeline_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("actor_kind", WORD, nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("incident", "seq", name="ux_timeline_entry_incident_seq"),
    )
    op.create_index("ix_timeline_entry_incident", "timeline_entry", ["incident"])


def validation_run() -> None:
    op.create_table(
        "validation_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=120), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=True),
        sa.Column("started_by", sa.String(length=120), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("report", JSON, nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_validation_run_incident", "validation_run", ["incident"])


def approval() -> None:
    op.create_table(
        "approval",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("action", sa.Integer(), nullable=False),
        sa.Column("decision", WORD, nullable=False),
        sa.Column("person", WORD, nullable=False),
        sa.Column("role", WORD, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["action"], ["action.id"]),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("action", "person", name="ux_approval_action_person"),
    )
    op.create_index("ix_approval_action", "approval", ["action"])
    op.create_index("ix_approval_incident", "approval", ["incident"])


def append_only() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(APPEND_ONLY_SQLITE.format(verb=verb))
        return
    op.execute(APPEND_ONLY_FUNCTION)
    for verb in ("update", "delete", "truncate"):
        op.execute(APPEND_ONLY_POSTGRES.format(verb=verb))


TABLES = (
    counter,
    deployment,
    inbound_key,
    incident,
    intent,
    action,
    action_item,
    alert,
    gathered_subject,
    evidence,
    reminder,
    role,
    stakeholder_update,
    step,
    surface,
    timeline_entry,
    validation_run,
    approval,
)
"""In the order of their foreign keys."""


def upgrade() -> None:
    for create in TABLES:
        create()
    append_only()


def downgrade() -> None:
    for create in reversed(TABLES):
        op.drop_table(create.__name__)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION timeline_entry_append_only()")
