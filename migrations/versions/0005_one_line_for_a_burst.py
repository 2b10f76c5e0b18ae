"""On whose line stakeholders read about an incident of a burst."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incident", sa.Column("announced_by", sa.Integer(), nullable=True))
    op.create_index("ix_incident_announced_by", "incident", ["announced_by"])


def downgrade() -> None:
    op.drop_index("ix_incident_announced_by", "incident")
    op.drop_column("incident", "announced_by")
