"""Evidence with its bytes and fingerprints, validations with their trials, what is learned, and what follows a closure.

Decides only this step of the schema. A merged migration is never edited: its hash is pinned in `tests/store/test_schema.py`.
No version before this one wrote a validation run or an action item, so these two tables are made anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WORD = sa.String(length=40)
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
INCIDENT = (
    ("recurrence_of", sa.Integer()),
    ("tags", JSON),
    ("validation_waived_at", TIME),
    ("validation_waived_by", sa.String(length=120)),
    ("validation_waiver", sa.String()),
    ("review_due_at", TIME),
    ("review_held_at", TIME),
    ("monitored_until", TIME),
)
OF_EARLIER = (("media_type", "text/plain"), ("origin", "{}"), ("state", "hash_only"))
"""What evidence of earlier versions is: a digest and an excerpt."""


def incident() -> None:
    for name, kind in INCIDENT:
        op.add_column("incident", sa.Column(name, kind, nullable=True))
    op.create_index("ix_incident_recurrence_of", "incident", ["recurrence_of"])
    op.create_index("ix_incident_declared_at", "incident", ["declared_at"])
    op.create_index("ix_incident_subject_id", "incident", ["subject_id"])
    op.create_index("ix_incident_app", "incident", ["app"])


def evidence() -> None:
    with op.batch_alter_table("evidence") as table:
        table.add_column(sa.Column("media_type", sa.String(length=120), nullable=False, server_default="text/plain"))
        table.add_column(sa.Column("origin", JSON, nullable=False, server_default="{}"))
        table.add_column(sa.Column("note", sa.String(), nullable=True))
        table.add_column(sa.Column("state", WORD, nullable=False, server_default="hash_only"))
        table.add_column(sa.Column("captured_at", TIME, nullable=True))
        table.add_column(sa.Column("kept_at", TIME, nullable=True))
    with op.batch_alter_table("evidence") as table:
        for name, _ in OF_EARLIER:
            table.alter_column(name, server_default=None)
    op.execute("UPDATE evidence SET kind = 'text' WHERE kind = 'alert'")
    op.create_index("ix_evidence_sha256", "evidence", ["sha256"])


def waiting_bytes() -> None:
    op.create_table(
        "waiting_bytes",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )


def fingerprint() -> None:
    op.create_table(
        "fingerprint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("evidence", sa.Integer(), nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.ForeignKeyConstraint(["evidence"], ["evidence.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("incident", "value", name="ux_fingerprint_incident_value"),
    )
    op.create_index("ix_fingerprint_incident", "fingerprint", ["incident"])
    op.create_index("ix_fingerprint_value", "fingerprint", ["value"])


def validation_run() -> None:
    op.drop_table("validation_run")
    op.create_table(
        "validation_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=120), nullable=False),
        sa.Column("pack", sa.String(length=64), nullable=False),
        sa.Column("plan", JSON, nullable=False),
        sa.Column("target_version", sa.String(length=200), nullable=True),
        sa.Column("vulnerable_version", sa.String(length=200), nullable=True),
        sa.Column("contained_meanwhile", sa.Boolean(), nullable=False),
        sa.Column("regression", sa.Boolean(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("verdict", WORD, nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("started_by", sa.String(length=120), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("report", JSON, nullable=False),
        sa.Column("lease_owner", sa.String(length=60), nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_validation_run_incident", "validation_run", ["incident"])
    op.create_index("ix_validation_run_state", "validation_run", ["state"])


def trial() -> None:
    op.create_table(
        "trial",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("payload", sa.String(length=64), nullable=False),
        sa.Column("variant", sa.String(length=80), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("outcome", WORD, nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("excerpt", sa.String(length=300), nullable=False),
        sa.Column("answer_sha256", sa.String(length=64), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["run"], ["validation_run.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run", "payload", "variant", "attempt", name="ux_trial_run_payload_variant_attempt"),
    )
    op.create_index("ix_trial_run", "trial", ["run"])


def exposure() -> None:
    op.create_table(
        "exposure",
        sa.Column("incident", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("models", JSON, nullable=False),
        sa.Column("environments", JSON, nullable=False),
        sa.Column("data_classes", JSON, nullable=False),
        sa.Column("users_exposed", sa.Integer(), nullable=True),
        sa.Column("records_exposed", sa.Integer(), nullable=True),
        sa.Column("basis", sa.String(), nullable=True),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("incident"),
    )


def review_answer() -> None:
    op.create_table(
        "review_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(length=80), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("incident", "question", name="ux_review_answer_incident_question"),
    )
    op.create_index("ix_review_answer_incident", "review_answer", ["incident"])


def action_item() -> None:
    op.drop_table("action_item")
    op.create_table(
        "action_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("role", sa.String(length=80), nullable=True),
        sa.Column("owner", WORD, nullable=True),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("state", WORD, nullable=False),
        sa.Column("done_at", TIME, nullable=True),
        sa.Column("done_by", sa.String(length=120), nullable=True),
        sa.Column("link", sa.String(length=500), nullable=True),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("incident", "key", name="ux_action_item_incident_key"),
    )
    op.create_index("ix_action_item_incident", "action_item", ["incident"])
    op.create_index("ix_action_item_owner_state", "action_item", ["owner", "state"])
    op.create_index("ix_action_item_state_due", "action_item", ["state", "due_at"])


def risk() -> None:
    op.create_table(
        "risk",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("likelihood", WORD, nullable=False),
        sa.Column("impact", WORD, nullable=False),
        sa.Column("treatment", WORD, nullable=False),
        sa.Column("owner", WORD, nullable=True),
        sa.Column("review_at", TIME, nullable=True),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_risk_incident", "risk", ["incident"])


def upgrade() -> None:
    incident()
    evidence()
    waiting_bytes()
    fingerprint()
    validation_run()
    trial()
    exposure()
    review_answer()
    action_item()
    risk()


def downgrade() -> None:
    for table in ("risk", "action_item", "review_answer", "exposure", "trial", "validation_run"):
        op.drop_table(table)
    for table in ("fingerprint", "waiting_bytes"):
        op.drop_table(table)
    validation_run_of_before()
    action_item_of_before()
    op.drop_index("ix_evidence_sha256", table_name="evidence")
    op.execute("UPDATE evidence SET kind = 'alert' WHERE kind = 'text'")
    with op.batch_alter_table("evidence") as table:
        for name in ("kept_at", "captured_at", "state", "note", "origin", "media_type"):
            table.drop_column(name)
    op.drop_index("ix_incident_app", table_name="incident")
    op.drop_index("ix_incident_subject_id", table_name="incident")
    op.drop_index("ix_incident_declared_at", table_name="incident")
    op.drop_index("ix_incident_recurrence_of", table_name="incident")
    for name, _ in reversed(INCIDENT):
        op.drop_column("incident", name)


def validation_run_of_before() -> None:
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


def action_item_of_before() -> None:
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
