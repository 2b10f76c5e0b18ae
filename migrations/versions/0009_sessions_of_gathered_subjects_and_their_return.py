"""The session of a subject that a storm has gathered; and one index for “was there this trigger on this subject before”.

Decides only this step of the schema. A merged migration is never edited: its hash is pinned in `tests/store/test_schema.py`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("gathered_subject", sa.Column("session_id", sa.String(length=300), nullable=True))
    op.create_index("ix_gathered_subject_session_id", "gathered_subject", ["session_id"])
    op.drop_index("ix_incident_subject_id", "incident")
    op.create_index("ix_incident_subject_id_trigger", "incident", ["subject_id", "trigger"])


def downgrade() -> None:
    op.drop_index("ix_incident_subject_id_trigger", "incident")
    op.create_index("ix_incident_subject_id", "incident", ["subject_id"])
    op.drop_index("ix_gathered_subject_session_id", "gathered_subject")
    op.drop_column("gathered_subject", "session_id")
