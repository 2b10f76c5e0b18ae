"""What is learned: the review's template, the six metrics, the pitfalls that earlier teams fell into.

Decides their shape. Leaves to the review's generator what is filled in, and to `bot/incident` how a metric is computed.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bot.incident.metrics import Moment
from bot.incident.words import DetectionMethod, Severity
from bot.playbook.model import Id, Minutes, Model, Offset, Text, Title


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


class ItemReminders(Model):
    """When the owner of an action item is told of it. All days are counted in UTC from the item's due date."""

    before_days: tuple[Annotated[int, Field(strict=True, ge=1, le=60)], ...] = Field(max_length=5)
    on_the_day: bool = True
    overdue_every_days: int = Field(strict=True, ge=1, le=90)
    at_hour: int = Field(strict=True, ge=0, le=23)
    """UTC."""

    @model_validator(mode="after")
    def _ever_nearer(self) -> Self:
        if list(self.before_days) != sorted(set(self.before_days), reverse=True):
            raise ValueError("`before_days` names each day once, the earliest first: [7, 3]")
        return self


class Monitoring(Model):
    """For how long incidents of these severities are watched for recurrence after they were closed."""

    severities: tuple[Severity, ...] = Field(min_length=1)
    days: int = Field(strict=True, ge=1, le=365)


class Review(Model):
    title: Title
    blank: Title
    """Stands where nothing was provided; the generator never invents."""
    hold_within_days: int = Field(strict=True, ge=1, le=90)
    monitor_days: tuple[int, int]
    """Shortest and longest time of watching for recurrence after closing."""
    monitoring: tuple[Monitoring, ...]
    summary: tuple[ReviewField, ...] = Field(min_length=1)
    timeline: tuple[Milestone, ...] = Field(min_length=1)
    sections: tuple[ReviewSection, ...] = Field(min_length=1)
    questions: tuple[Question, ...] = Field(min_length=1)
    action_items: tuple[ActionItem, ...] = Field(min_length=1)
    item_reminders: ItemReminders

    @model_validator(mode="after")
    def _every_severity_is_watched_once(self) -> Self:
        named = [severity for one in self.monitoring for severity in one.severities]
        if sorted(named) != sorted(Severity):
            raise ValueError("`monitoring` names each severity, 1 to 4, exactly once")
        shortest, longest = self.monitor_days
        if not all(shortest <= one.days <= longest for one in self.monitoring):
            raise ValueError(f"`monitoring` must keep to `monitor_days`: {shortest} to {longest} days")
        return self

    def monitored_days(self, severity: Severity) -> int:
        """For how many days after closing an incident of this severity is watched."""
        return next(one.days for one in self.monitoring if severity in one.severities)


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
    within: Literal["response"] | None = None
    """In place of minutes: the response time of the incident's own severity, which counts from its opening."""
    preferred: DetectionMethod | None = None
    severities: tuple[Severity, ...] = ()
    """Where the target holds; empty means everywhere. The value is shown for all."""

    @model_validator(mode="after")
    def _duration_is_whole(self) -> Self:
        targets = [target for target in (self.under_minutes, self.within) if target is not None]
        given = [part for part in (self.starts, self.ends, *targets) if part is not None]
        if len(given) != (3 if self.kind == "duration" else 0) or len(targets) > 1:
            raise ValueError(
                "a duration needs `starts`, `ends` and one of `under_minutes` or `within`; nothing else has them"
            )
        if self.within is not None and self.starts != "declared":
            raise ValueError("a response time counts from the opening: `starts: declared` goes with `within: response`")
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
