"""Triggers: what opens an incident by itself, how severe it is, which containment fits, and the examples that prove it.

Decides the shape of `triggers/*.yaml`. Leaves the rule's settings to `bot.detection.rule`, the form of
examples to `examples` and their truth to `check_examples`.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from bot.detection.rule import Rule
from bot.incident.words import Category, EvidenceKind, Severity, SubjectKind
from bot.playbook.action import Changes
from bot.playbook.examples import Examples
from bot.playbook.model import AtlasId, Id, Minutes, Model, OwaspId, Paragraph, Title


class Trigger(Model):
    id: Id
    mission: bool = False
    """One of the nine that Firsthour was asked for; the others came later, or are the organisation's own."""
    title: Title
    description: Paragraph
    severity: Severity
    auto_contain: bool
    """Reversible single-subject actions may run before anyone approves."""
    condition: Paragraph
    """When it fires, for people."""
    atlas: tuple[AtlasId, ...] = Field(min_length=1)
    """MITRE ATLAS techniques, the primary one first."""
    owasp: tuple[OwaspId, ...] = Field(min_length=1)
    category: Category
    subjects: tuple[SubjectKind, ...] = Field(min_length=1)
    """Kinds of subject this trigger can name, preferred first."""
    storm_window_minutes: Minutes
    """Findings of this trigger in one app within this time may be gathered into one incident; 0 means never."""
    storm_after: int = Field(default=3, ge=1, le=100)
    """So many incidents of this trigger in one app are opened within that time; further subjects are gathered."""
    actions: Changes = Changes()
    evidence: tuple[EvidenceKind, ...] = ()
    """Wanted besides what the severity wants."""
    rule: Rule
    examples: Examples

    @model_validator(mode="after")
    def _contains_somebody(self) -> Self:
        if self.auto_contain and not set(self.subjects) & SINGLE_SUBJECTS:
            raise ValueError("`auto_contain` needs a subject that can be contained alone: user, session, api_key or ip")
        return self


SINGLE_SUBJECTS = frozenset({SubjectKind.USER, SubjectKind.SESSION, SubjectKind.API_KEY, SubjectKind.IP})
