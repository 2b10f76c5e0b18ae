"""Severities: what each means, how fast, who is called, how often stakeholders hear.

Leaves to `action` what containment a severity's plan holds, and to the cases when anyone is called.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from bot.incident.words import EvidenceKind, Severity
from bot.playbook.model import Id, Minutes, Model, Paragraph, SomeCount, Text, Title


class ResponseTime(Model):
    """Either a number of minutes from detection to acknowledgement, or the next business day."""

    minutes: Minutes | None = None
    next_business_day: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.minutes is None) != self.next_business_day:
            raise ValueError("give either `minutes` or `next_business_day: true`")
        return self


class SeverityPolicy(Model):
    id: Severity
    label: Title
    """One word beside the number: Critical, High, Medium, Low."""
    alias: Annotated[str, StringConstraints(min_length=1, max_length=10)]
    definition: Paragraph
    examples: tuple[Text, ...] = Field(min_length=1)
    response: ResponseTime
    containment_goal_minutes: Minutes | None = None
    """From declaration until the harm should have stopped; None where containment is not hurried."""
    notify: tuple[Id, ...] = Field(min_length=1)
    """Roster roles invited and called at once."""
    escalate: tuple[Id, ...] = Field(min_length=1)
    """Roster roles called one after another while nobody acknowledges."""
    update_every_minutes: Minutes | None
    plan: Id
    containment: Paragraph
    """What containment means at this severity, in words for the card."""
    validation_trials: SomeCount
    """Valid trials a payload needs before its fix counts (reference: exact 95 % bound, 30 trials → 9.5 %)."""
    evidence: tuple[EvidenceKind, ...] = ()
    """What is wanted before containment counts and before anything irreversible; without it somebody says why."""
    visibility: Literal["private", "public"] = "private"


class SeverityFile(Model):
    severities: tuple[SeverityPolicy, ...]
