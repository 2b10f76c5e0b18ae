"""What is learned: the review's template, the six metrics, the pitfalls that earlier teams fell into.

Decides their shape. Leaves to the review's generator what is filled in, and to `bot/incident` how a metric is computed.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from bot.incident.words import DetectionMethod, Severity
from bot.playbook.model import Id, Minutes, Model, Offset, Text, Title

Moment = Literal["started", "detected", "notified", "acknowledged", "contained", "remediated", "resolved"]


class ReviewSection(Model):
    id: Id
    title: Title
    hint: Text
    fill: Literal[
        "facts",
        "timeline",
        "questions",
        "people",
        "action_items",
        "metrics",
        "containment",
        "evidence",
        "validation",
        "clocks",
    ]
    """Where its content comes from; `people` means someone writes it."""


class ReviewField(Model):
    id: Id
    label: Title
    hint: Text


class Milestone(Model):
    """A row of the review's timeline, in order."""

    id: Id
    event: Text
    actor: Id
    """`automated`, or the role whose act it is."""


class Question(Model):
    id: Id
    text: Text
    hint: Text


class ActionItem(Model):
    """A follow-up that every review starts with; owner and due date are asked for."""

    id: Id
    text: Text
    kind: Literal["prevent", "detect", "respond", "process"]
    due: Offset
    """From the day of the review."""
    role: Id
    status: Literal["pending"] = "pending"


class Review(Model):
    title: Title
    blank: Title
    """Stands where nothing was provided; the generator never invents."""
    hold_within_days: int = Field(strict=True, ge=1, le=90)
    monitor_days: tuple[int, int]
    """Shortest and longest time of watching for recurrence after closing."""
    summary: tuple[ReviewField, ...] = Field(min_length=1)
    timeline: tuple[Milestone, ...] = Field(min_length=1)
    sections: tuple[ReviewSection, ...] = Field(min_length=1)
    questions: tuple[Question, ...] = Field(min_length=1)
    action_items: tuple[ActionItem, ...] = Field(min_length=1)


class Metric(Model):
    id: Id
    title: Title
    description: Text
    target: Title
    kind: Literal["duration", "method", "completeness"]
    starts: Moment | None = None
    ends: Moment | None = None
    under_minutes: Minutes | None = None
    """The target of a duration: strictly less."""
    preferred: DetectionMethod | None = None
    severities: tuple[Severity, ...] = ()
    """Where the target holds; empty means everywhere. The value is shown for all."""

    @model_validator(mode="after")
    def _duration_is_whole(self) -> Self:
        parts = (self.starts, self.ends, self.under_minutes)
        if (self.kind == "duration") != all(part is not None for part in parts):
            raise ValueError("a duration needs `starts`, `ends` and `under_minutes`; nothing else has them")
        if (self.kind == "method") != (self.preferred is not None):
            raise ValueError("`kind: method` and `preferred` go together")
        return self


class MetricFile(Model):
    metrics: tuple[Metric, ...] = Field(min_length=1)


class Pitfall(Model):
    id: Id
    problem: Text
    cause: Text
    answer: Text
    answered_by: tuple[str, ...] = Field(min_length=1)
    """Where in the playbook the answer stands, e.g. `steps/triage.confirm` or `policy/auto_contain`; see `locate`."""


class PitfallFile(Model):
    pitfalls: tuple[Pitfall, ...] = Field(min_length=1)
