"""What detection is told to look for (canaries, prompts, owned identifiers), under which key, and what is suppressed.

Decides only this step of the schema. A merged migration is never edited: its hash is pinned in `tests/store/test_schema.py`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WORD = sa.String(length=40)
TIME = sa.DateTime(timezone=True)


def canary() -> None:
    op.create_table(
        "canary",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("app", sa.String(length=120), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def prompt() -> None:
    op.create_table(
        "prompt",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("app", sa.String(length=120), nullable=True),
        sa.Column("shingles", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def owned_identifier() -> None:
    op.create_table(
        "owned_identifier",
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.LargeBinary(), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.PrimaryKeyConstraint("hash", "owner"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_owned_identifier_owner", "owned_identifier", ["owner"])


def detection_key() -> None:
    op.create_table(
        "detection_key",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("proof", sa.String(length=64), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def suppression() -> None:
    op.create_table(
        "suppression",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject_kind", sa.String(length=40), nullable=True),
        sa.Column("subject_id", sa.String(length=300), nullable=True),
        sa.Column("tenant", sa.String(length=300), nullable=True),
        sa.Column("app", sa.String(length=120), nullable=True),
        sa.Column("trigger", sa.String(length=80), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("made_by", sa.String(length=120), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("over_at", TIME, nullable=True),
        sa.Column("lifted_by", sa.String(length=120), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_suppression_over_at", "suppression", ["over_at"])


def upgrade() -> None:
    canary()
    prompt()
    owned_identifier()
    detection_key()
    suppression()
    op.execute("INSERT INTO counter (name, value) VALUES ('registered', 0), ('owned', 0)")


def downgrade() -> None:
    op.execute("DELETE FROM counter WHERE name IN ('registered', 'owned')")
    for table in ("suppression", "detection_key", "owned_identifier", "prompt", "canary"):
        op.drop_table(table)
