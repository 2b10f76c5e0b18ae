"""Legal clocks as data: which law, what is due when, counted from what. A person decides whether one applies.

Decides their shape: each carries its source and the day it was last checked. Leaves arithmetic and reminders to the
issue that runs them. Not legal advice.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from bot.playbook.model import Id, Model, Paragraph, Text, Title

Start = Literal["aware", "discovered", "classified", "materiality", "report_filed", "fix_available", "year_end"]


class Span(Model):
    """A span of calendar or business time. All empty means “without undue delay”."""

    hours: int | None = Field(default=None, strict=True, ge=1)
    days: int | None = Field(default=None, strict=True, ge=1)
    business_days: int | None = Field(default=None, strict=True, ge=1)
    months: int | None = Field(default=None, strict=True, ge=1)

    @model_validator(mode="after")
    def _one_at_most(self) -> Self:
        given = (self.hours, self.days, self.business_days, self.months)
        if sum(part is not None for part in given) > 1:
            raise ValueError("give one of hours, days, business_days, months")
        return self


class ClockStep(Model):
    id: Id
    title: Title
    due: Span
    starts: Start
    after: Id | None = None
    """With `starts: report_filed`: the step of this clock whose filing starts it."""
    no_later_than: Span | None = None
    """A second limit, counted from awareness."""
    recipient: Title

    @model_validator(mode="after")
    def _after_a_report(self) -> Self:
        if (self.starts == "report_filed") != (self.after is not None):
            raise ValueError("`starts: report_filed` and `after` go together")
        return self


class LegalClock(Model):
    id: Id
    regime: Title
    article: Title
    enabled: bool
    applies_if: Text
    """What a person (the legal role) must judge; nothing applies by itself."""
    rolls_over_weekends: bool = False
    freezes_system: bool = False
    """No change that could hide causes before the authority is told: evidence comes before any other act."""
    steps: tuple[ClockStep, ...] = Field(min_length=1)
    note: Paragraph | None = None
    source: Text
    updated_on: date
    confidence: Literal["text_read", "general_knowledge"]
    """Whether the law's own text was read for this entry."""


class ClockFile(Model):
    notice: Text
    clocks: tuple[LegalClock, ...] = Field(min_length=1)
