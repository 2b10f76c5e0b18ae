"""What every rule has, whatever its primitive: whom it counts by, which events it reads, and when it keeps quiet.

Decides these settings and how an application's own are put over them. Leaves each primitive's to `rule`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, StrictStr

from bot.detection.event import Kind
from bot.detection.override import App, Override
from bot.detection.strict import Minutes, Model, SomeCount

KeyKind = Literal["user", "session", "api_key", "ip", "fleet"]
"""`user`, `api_key` and `ip` are a `user_id` of that `user_kind`; `fleet` is all inputs of one fingerprint, whoever sent them."""
Exclusion = Literal["in_users_own_input", "documentation_example"]
"""Why something that a scan found is not counted: its digest was in an input of the same session, or it is an example that
stands in public documentation."""


class RuleBase(Model):
    key: tuple[KeyKind, ...] = Field(min_length=1)
    """What is counted by: the first of these that the event carries."""
    events: tuple[Kind, ...] = Field(min_length=1)
    """Kinds of native events read (reference: domain.md §2.1)."""
    apps: tuple[App, ...] = ()
    """Only these applications; none named: all."""
    exclusions: tuple[Exclusion, ...] = ()
    exempt_users: tuple[StrictStr, ...] = ()
    """Their events are not read: a batch account, a support agent. For a while only, suppress instead: that is shown and ends."""
    cool_down_minutes: Minutes = 60
    """Further hits in this time attach to the incident that is open."""
    require_signals: SomeCount = 1
    """Independent signals needed before it fires. What the rule itself counts is one. Each different name among the
    `signals`, and each guardrail that flagged, masked or blocked without being counted by the rule, is one more: of the
    event for a primitive without a window, of the window's events otherwise."""
    shadow: bool = False
    """Count and report, open nothing: for tuning against production."""
    overrides: Mapping[App, Override] = {}

    def for_app(self, app: str | None) -> Self:
        """The rule with what this application sets otherwise."""
        override = self.overrides.get(app or "")
        if override is None:
            return self
        update: dict[str, Any] = {name: value for name, value in override if value is not None}
        if update.get("where"):
            update["where"] = {**getattr(self, "where", {}), **update["where"]}
        return self.model_copy(update=update)
