"""What is registered so that detection knows it when it sees it, and what is suppressed: canaries, prompts, owners.

Decides what is stored of each, so that a reader of the database has no use of it: a canary's value and pieces of a prompt are
sealed, all else of a prompt and an identifier are keyed hashes only. The key is never in the database (`bot.store.sealing`).
How text is searched for them is `bot.detection.scan`'s; whether a suppression covers a finding is decided in
`bot.cases.suppressed`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlmodel import Field, SQLModel

from bot.incident.columns import UtcDateTime, Word
from bot.incident.words import CanaryKind

REGISTERED = "registered"
"""The row of `Counter` that takes the next value with every change of canaries, prompts or suppressions."""
OWNED = "owned"
"""The same for the identifiers of owners: a million of them are loaded again only where they changed."""
DIGEST = 16
"""Bytes of a keyed hash (`bot.detection.scan.digests`)."""
SHORT_DIGEST = 8
"""Bytes of a keyed hash of a shingle or a word (`bot.detection.scan.shingles`)."""
LONGEST_SUPPRESSION = timedelta(days=30)


class Canary(SQLModel, table=True):
    """A value that stands in one place only, so that it proves a leak wherever else it is seen."""

    name: str = Field(primary_key=True, max_length=80)
    kind: CanaryKind = Field(sa_type=Word(CanaryKind))
    app: str | None = Field(default=None, max_length=120)
    """The application it was put into; None where that is not told. It is known for a leak everywhere."""
    sealed: bytes = Field(sa_type=LargeBinary, repr=False)
    """The value under the detection key, bound to name, kind and application: none of them can be exchanged alone."""
    added_at: datetime = Field(sa_type=UtcDateTime)


class Prompt(SQLModel, table=True):
    """A system prompt, as keyed hashes of its shingles and of its words, and as anchors. Without the key nothing of its text can
    be had back; with it, much."""

    name: str = Field(primary_key=True, max_length=80)
    app: str | None = Field(default=None, max_length=120)
    """It is looked for in this application's texts only; None: in all."""
    shingles: bytes = Field(sa_type=LargeBinary, repr=False)
    """SHORT_DIGEST bytes each, in the order of the text; zeros for one that a public text holds too."""
    words: bytes = Field(sa_type=LargeBinary, repr=False)
    """SHORT_DIGEST bytes each."""
    anchors: bytes | None = Field(default=None, sa_type=LargeBinary, repr=False)
    """Five words here and there, nothing between them, under the detection key, bound to name, application and shingles: a text
    that holds none is passed over. None where an earlier version registered the prompt: then no text is."""
    left_out: int = 0
    """So many shingles were found in a public text."""
    added_at: datetime = Field(sa_type=UtcDateTime)


class OwnedIdentifier(SQLModel, table=True):
    """One identifier and one of its owners, both as keyed hashes. More than one owner: a shared record.

    Its key is what both databases sort by, so that it is read in the order in which it is held."""

    __tablename__ = "owned_identifier"  # pyright: ignore[reportAssignmentType] -- a plain name is what SQLModel documents
    __table_args__ = (Index("ix_owned_identifier_owner", "owner"), {"sqlite_with_rowid": False})

    hash: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    """The first 64 bits of the identifier's digest, less 2^63: databases have signed numbers only."""
    owner: bytes = Field(primary_key=True, sa_type=LargeBinary)
    """The owner's digest, DIGEST bytes."""
    kind: str = Field(max_length=40)
    """`email`, `iban`, `name` …: the scanner's word for it."""


class KeyCheck(SQLModel, table=True):
    """Under which detection key all of it was registered: a hash that only this key makes."""

    __tablename__ = "detection_key"  # pyright: ignore[reportAssignmentType]

    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    proof: str = Field(max_length=64)
    made_at: datetime = Field(sa_type=UtcDateTime)


class Suppression(SQLModel, table=True):
    """Findings that open nothing for a while: still logged and counted. All that it names must hold of a finding;
    one that names nobody is a maintenance window. Rows stay: they are the record."""

    __table_args__ = (Index("ix_suppression_over_at", "over_at"),)

    id: int | None = Field(default=None, primary_key=True)
    subject_kind: str | None = Field(default=None, max_length=40)
    """`user`, `session`, `api_key` or `ip`."""
    subject_id: str | None = Field(default=None, max_length=300)
    tenant: str | None = Field(default=None, max_length=300)
    app: str | None = Field(default=None, max_length=120)
    trigger: str | None = Field(default=None, max_length=80)
    reason: str = Field(max_length=500)
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    made_by: str = Field(max_length=120)
    made_at: datetime = Field(sa_type=UtcDateTime)
    over_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When it was lifted or its end was noted; None until then."""
    lifted_by: str | None = Field(default=None, max_length=120)
    """None where it ended by itself."""

    @property
    def everybody(self) -> bool:
        """It names neither a subject nor a tenant nor an application."""
        return self.subject_id is None and self.tenant is None and self.app is None

    def running(self, now: datetime) -> bool:
        """It applies at this moment: begun, not over, not lifted."""
        return self.over_at is None and self.starts_at <= now < self.ends_at
