"""The policy of the gate and the gates that hold it (design §8): two tables, and the counter of its versions.

Decides only this step of the schema. A merged migration is never edited: its hash is pinned in `tests/store/test_schema.py`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WORD = sa.String(length=40)
TIME = sa.DateTime(timezone=True)


def gate_rule() -> None:
    op.create_table(
        "gate_rule",
        sa.Column("key", sa.String(length=400), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("scope_kind", WORD, nullable=False),
        sa.Column("scope_id", sa.String(length=300), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("added_version", sa.Integer(), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("removed_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_gate_rule_target", "gate_rule", ["scope_kind", "scope_id"])
    op.create_index("ix_gate_rule_version", "gate_rule", ["version"])


def gate_replica() -> None:
    op.create_table(
        "gate_replica",
        sa.Column("id", sa.String(length=120), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def upgrade() -> None:
    gate_rule()
    gate_replica()
    op.execute("INSERT INTO counter (name, value) VALUES ('gate', 0)")


def downgrade() -> None:
    op.execute("DELETE FROM counter WHERE name = 'gate'")
    op.drop_table("gate_replica")
    op.drop_table("gate_rule")
