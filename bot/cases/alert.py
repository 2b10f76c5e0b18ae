"""An alert as it is sent to us, and what its sender is told (design §8). Parsed once, trusted inside.

Decides what an alert may hold. What it does is `receive`'s.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bot.incident.words import SubjectKind

Text = Annotated[str, Field(min_length=1, max_length=100_000)]
Id = Annotated[str, Field(min_length=1, max_length=300)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SubjectIn(_Strict):
    kind: SubjectKind
    id: Id


class EvidenceIn(_Strict):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(max_length=500_000)]


class AlertIn(_Strict):
    """The native alert (design §8). Text in it is hostile: clipped and redacted before it is stored."""

    trigger: Annotated[str, Field(min_length=1, max_length=80)]
    title: Text
    severity: Annotated[int, Field(ge=1, le=4)] | None = None
    subject: SubjectIn | None = None
    app: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    session_id: Id | None = None
    external_id: Id | None = None
    started_at: AwareDatetime | None = None
    detected_at: AwareDatetime | None = None
    summary: Annotated[str, Field(max_length=100_000)] | None = None
    evidence: Annotated[tuple[EvidenceIn, ...], Field(max_length=20)] = ()


class Received(_Strict):
    """What the sender is told."""

    incident: str
    status: Literal["opened", "attached", "repeated"]
