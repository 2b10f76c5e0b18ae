"""The first hour: six windows, what counts in each, and what must be there when it ends.

Decides the shape of `first_hour.yaml` and how windows stretch with severity. Leaves to the clock when anyone is told.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from bot.incident.words import Severity
from bot.playbook.model import Id, Minutes, Model, StepId, Text, Title

FactName = Literal["acknowledged", "commander", "severity_confirmed", "evidence", "contained", "scope", "briefed"]


class NeedSpec(Model):
    """A fact of the incident, or a step that must be done or skipped with a reason."""

    fact: FactName | None = None
    step: StepId | None = None
    label: Title
    role: Id

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.fact is None) == (self.step is None):
            raise ValueError("name either a `fact` or a `step`")
        return self


class WindowSpec(Model):
    id: Id
    title: Title
    start: Minutes
    end: Minutes
    counts: Text
    needs: tuple[NeedSpec, ...] = Field(min_length=1)
    nudge_before: Minutes

    @model_validator(mode="after")
    def _nudges_inside(self) -> Self:
        if self.end - self.start <= self.nudge_before:
            raise ValueError("`end` must come after `start`, and `nudge_before` must fall inside the window")
        return self


class Pace(Model):
    """How a severity stretches the hour: 1 as it stands, 24 turns minutes 0–5 into hours 0–2."""

    severity: Severity
    factor: int = Field(strict=True, ge=1, le=168)


class FirstHourFile(Model):
    pace: tuple[Pace, ...]
    """Severities without a pace have no windows."""
    windows: tuple[WindowSpec, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _windows_join(self) -> Self:
        for before, after in zip(self.windows, self.windows[1:], strict=False):
            if before.end != after.start:
                raise ValueError(f"window `{after.id}` must start at minute {before.end}, where `{before.id}` ends")
        if self.windows[0].start != 0:
            raise ValueError("the first window must start at minute 0")
        return self

    def factor(self, severity: Severity) -> int | None:
        return next((pace.factor for pace in self.pace if pace.severity is severity), None)


class Need(Model):
    kind: Literal["step", "fact"]
    id: str
    label: str
    role: str


class Window(Model):
    """One window, in minutes from the declaration."""

    id: str
    title: str
    start_minutes: int
    end_minutes: int
    counts: str
    needs: tuple[Need, ...]
    nudge_minutes_before: int
