"""Checklist steps: as written in YAML (`StepSpec`, in sections of a phase) and as composed for one incident (`Step`).

Decides the shape of a step and when it applies. Leaves to `compose` which steps an incident gets.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from bot.incident.words import ActionKind, Category, EvidenceKind, Phase, Severity, StepButton
from bot.playbook.model import Id, Model, Offset, StepId, Text, Title


class When(Model):
    """Where a step applies. An empty list means everywhere; all lists must agree."""

    severities: tuple[Severity, ...] = ()
    triggers: tuple[Id, ...] = ()
    categories: tuple[Category, ...] = ()
    scenarios: tuple[Id, ...] = ()


class StepSpec(Model):
    id: StepId
    text: Text
    hint: Text | None = None
    role: Id
    due: Offset | None = None
    due_from: Literal["declaration", "phase"] = "declaration"
    when: When = When()
    button: StepButton | None = None
    action: ActionKind | None = None
    evidence: EvidenceKind | None = None
    """What its button adds; without it the person chooses."""

    @model_validator(mode="after")
    def _button_and_action_agree(self) -> Self:
        if (self.button is StepButton.PROPOSE_ACTION) != (self.action is not None):
            raise ValueError("`button: propose_action` and `action` go together")
        if self.evidence is not None and self.button is not StepButton.ATTACH_EVIDENCE:
            raise ValueError("`evidence` needs `button: attach_evidence`")
        return self


class Section(Model):
    id: Id
    title: Title
    when: When = When()
    """Applies to every step of the section, on top of the step's own."""
    steps: tuple[StepSpec, ...] = Field(min_length=1)


class ChecklistFile(Model):
    phase: Phase
    title: Title
    intro: Text
    sections: tuple[Section, ...] = Field(min_length=1)


class Step(Model):
    """One line of an incident's checklist."""

    id: str
    phase: Phase
    section: str
    """The section's title, to group by."""
    text: str
    hint: str | None
    role: str
    """A room role (`bot.incident.words.Role`) or a roster role."""
    due_minutes: int | None
    due_from: Literal["declaration", "phase"]
    """What `due_minutes` counts from: the declaration, or the moment the step's phase began."""
    button: StepButton | None
    action: ActionKind | None
