"""The organisation's section `evidence`: where the vault lies, how long a bucket holds it, how large a piece may be.

Decides names, defaults and what is refused at start. Which evidence is wanted before what is the playbook's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Retention(_Strict):
    """S3 Object Lock. The bucket must have been made with it; the vault refuses to write where it was not."""

    mode: Literal["governance", "compliance"] = "governance"
    """`compliance`: nobody can shorten it, not even the account's owner."""
    days: int = Field(ge=1, le=36_500)


class Bucket(_Strict):
    """A bucket of S3, or of anything that speaks it. Credentials are found as boto3 finds them: a role, the environment."""

    bucket: str = Field(min_length=3, max_length=63)
    prefix: str = Field(default="", max_length=500, pattern=r"^([A-Za-z0-9!_.*'()-]+/)*$")
    """Ends with a slash: `firsthour/evidence/`."""
    region: str | None = None
    endpoint: str | None = Field(default=None, pattern=r"^https?://")
    """Only where the bucket is not Amazon's."""
    retention: Retention | None = None
    """Without it objects are kept until somebody deletes them."""


class EvidenceSettings(_Strict):
    """Where the original bytes of evidence are kept. Custody is on the timeline, whichever it is."""

    folder: Path | None = None
    """Without it one beside the SQLite file (`firsthour.db.evidence`), or `firsthour-evidence` in the working directory where
    the store is PostgreSQL: replicas need a folder that they share, or a bucket."""
    s3: Bucket | None = None
    """Instead of a folder."""
    most_mb: int = Field(default=100, ge=1, le=2_000)
    """Megabytes (10⁶ bytes) of one piece. Slack's own limit for a file is 1 GB."""

    @model_validator(mode="after")
    def _one_place(self) -> EvidenceSettings:
        if self.folder is not None and self.s3 is not None:
            raise ValueError("Name `folder` or `s3`, not both: evidence lies in one place.")
        return self

    @property
    def most(self) -> int:
        """Bytes of one piece."""
        return self.most_mb * 1_000_000
