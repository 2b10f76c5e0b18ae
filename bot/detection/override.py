"""What one application sets otherwise in a rule: per primitive the thresholds, the window, shadow.

Decides which settings may differ by application. Leaves putting them into effect to `rule`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictStr, StringConstraints

from bot.detection.condition import Where
from bot.detection.strict import Count, Minutes, Model, SomeCount, SomeMinutes

App = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Ratio = Annotated[float, Field(ge=0, le=1)]


class Override(Model):
    """What one application sets otherwise. Left out: as in the rule."""

    shadow: bool | None = None
    exempt_users: tuple[StrictStr, ...] | None = None
    require_signals: SomeCount | None = None
    cool_down_minutes: Minutes | None = None


class MatchOverride(Override):
    where: Where | None = None
    """These conditions instead of those of the same name."""
    allowed_categories: tuple[StrictStr, ...] | None = None


class WindowOverride(Override):
    more_than: Count | None = None
    window_minutes: SomeMinutes | None = None


class RatioOverride(WindowOverride):
    bypass_ratio_more_than: Ratio | None = None
    subjects_at_least: SomeCount | None = None
    allowed_categories: tuple[StrictStr, ...] | None = None


class FragmentsOverride(Override):
    at_least: SomeCount | None = None
    at_most: Count | None = None
    coverage_at_least: Ratio | None = None


class OwnerMismatchOverride(Override):
    strong_at_least: SomeCount | None = None
    weak_at_least: SomeCount | None = None


class DriftOverride(Override):
    require_signals: SomeCount | None = Field(default=None, le=1)
    more_than: Annotated[float, Field(gt=0, le=1000)] | None = None
