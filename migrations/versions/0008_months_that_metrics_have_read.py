"""What metrics read of a month's ended incidents, put away as one row.

Decides only this step of the schema. A merged migration is never edited: its hash is pinned in `tests/store/test_schema.py`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "measured_month",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("ended", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("month"),
    )


def downgrade() -> None:
    op.drop_table("measured_month")
