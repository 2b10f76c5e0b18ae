"""What most texts are passed over by without being divided into words: the anchors of a prompt, sealed.

Decides only this step of the schema. A merged migration is never edited: its hash is pinned in `tests/store/test_schema.py`.
Prompts of before have none: they go on being found as they were, by reading every text word by word, until they are
registered again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("prompt", sa.Column("anchors", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("prompt", "anchors")
