"""An action knows how often it was stated, and break-glass decisions are counted without reading every approval.

Decides only this step of the schema. A merged migration is never edited: its hash is pinned in `tests/store/test_schema.py`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("action", sa.Column("edition", sa.Integer(), nullable=False, server_default=sa.text("1")))
    op.create_index("ix_approval_decision", "approval", ["decision"])


def downgrade() -> None:
    op.drop_index("ix_approval_decision", "approval")
    op.drop_column("action", "edition")
