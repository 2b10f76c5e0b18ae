"""An action's blast radius, the key that a shared target is held under, its time to live, and why it was kept.

Decides only this step of the schema. A merged migration is never edited: its hash is pinned in `tests/store/test_schema.py`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
COLUMNS = (
    ("blast_calls", sa.Integer()),
    ("blast_subjects", sa.Integer()),
    ("blast_source", sa.String(length=200)),
    ("blast_at", TIME),
    ("held_under", sa.String(length=400)),
    ("temporary_until", TIME),
    ("kept_at", TIME),
    ("kept_by", sa.String(length=120)),
    ("kept_because", sa.String()),
)


def upgrade() -> None:
    for name, kind in COLUMNS:
        op.add_column("action", sa.Column(name, kind, nullable=True))
    op.create_index("ix_action_scope_id", "action", ["scope_id"])


def downgrade() -> None:
    op.drop_index("ix_action_scope_id", table_name="action")
    for name, _ in reversed(COLUMNS):
        op.drop_column("action", name)
