"""Indexes for questions about what is open, in force or due, which read everything that ever was; and how often glass was
broken, which was counted anew at every scrape; and ended incidents that changed since metrics put their month away.

Decides only this step of the schema. A merged migration is never edited: its hash is pinned in `tests/store/test_schema.py`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

OLD = (
    ("ix_action_scope_id", "action", ["scope_id"]),
    ("ix_approval_decision", "approval", ["decision"]),
    ("ix_gate_rule_target", "gate_rule", ["scope_kind", "scope_id"]),
)
NEW = (
    ("ix_action_state_scope_id", "action", ["state", "scope_id"]),
    ("ix_action_reverted_at", "action", ["reverted_at"]),
    ("ix_alert_trigger_received_at", "alert", ["trigger", "received_at"]),
    ("ix_gate_rule_target_removed_at", "gate_rule", ["scope_kind", "scope_id", "removed_at"]),
    ("ix_inbound_key_at", "inbound_key", ["at"]),
    ("ix_incident_ended_at_trigger_app", "incident", ["ended_at", "trigger", "app"]),
    ("ix_risk_owner_closed_at", "risk", ["owner", "closed_at"]),
    ("ix_waiting_bytes_at", "waiting_bytes", ["at"]),
)


def upgrade() -> None:
    for name, table, _ in OLD:
        op.drop_index(name, table)
    for name, table, columns in NEW:
        op.create_index(name, table, columns)
    in_force = sa.text("removed_at IS NULL")
    op.create_index("ix_gate_rule_in_force", "gate_rule", ["version"], sqlite_where=in_force, postgresql_where=in_force)
    op.create_table(
        "measured_anew",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_measured_anew_month", "measured_anew", ["month"])
    op.execute(
        "INSERT INTO counter (name, value) SELECT 'glass_broken', count(*) FROM approval a JOIN incident i"
        " ON i.number = a.incident WHERE a.decision = 'break_glass' AND NOT i.drill"
    )


def downgrade() -> None:
    op.drop_table("measured_anew")
    op.drop_index("ix_gate_rule_in_force", "gate_rule")
    op.execute("DELETE FROM measured_month")  # an older version cannot read how they are packed now
    op.execute("DELETE FROM counter WHERE name = 'glass_broken'")
    for name, table, _ in reversed(NEW):
        op.drop_index(name, table)
    for name, table, columns in OLD:
        op.create_index(name, table, columns)
