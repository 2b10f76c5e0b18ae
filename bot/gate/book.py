"""The gate's copy of the policy, in memory: which rules stand on which target, and how old the copy is.

Decides how a rule is found: by the hash of what it names, so that a hundred thousand cost no more than ten. Every change
happens between two awaits: a decision sees the copy before it or after it. Fetching the rules is `bot.gate.feed`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.gate.caller import EVERYONE, Target
from bot.incident.policy import Rule
from bot.incident.words import ActionKind, ScopeKind


@dataclass(frozen=True, slots=True)
class Held:
    """One rule in force, as small as a hundred thousand of them must be."""

    key: str
    """The action's idempotency key."""
    incident: int
    kind: ActionKind
    target: Target
    per_minute: int = 1
    text: str | None = None

    @classmethod
    def of(cls, rule: Rule) -> Held:
        """Everyone is one target, whatever id was written beside it."""
        everyone = rule.scope_kind is ScopeKind.EVERYONE
        target = EVERYONE if everyone else (rule.scope_kind, rule.scope_id)
        return cls(rule.key, rule.incident, rule.kind, target, rule.per_minute, rule.text)


class Book:
    """The rules in force. Empty and unknown until the first copy came; never emptied because the store is away."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        """`now`: seconds, only ever compared with itself."""
        self.version: int | None = None
        """Of the policy; None before the first copy."""
        self._now = now
        self._confirmed = 0.0
        self._rules: dict[str, Held] = {}
        self._on: dict[Target, tuple[Held, ...]] = {}

    def __len__(self) -> int:
        return len(self._rules)

    @property
    def age(self) -> float | None:
        """Seconds since this copy was last known to be what the store holds; None before the first."""
        return None if self.version is None else max(0.0, self._now() - self._confirmed)

    def on(self, target: Target) -> tuple[Held, ...]:
        """The rules on exactly this target."""
        return self._on.get(target, ())

    def replace(self, rules: Iterable[Held], version: int) -> None:
        """A whole new copy."""
        by_key = {rule.key: rule for rule in rules}
        on: dict[Target, list[Held]] = {}
        for rule in by_key.values():
            on.setdefault(rule.target, []).append(rule)
        self._rules, self._on = by_key, {target: tuple(rules) for target, rules in on.items()}
        self.confirm(version)

    def change(self, *, put: Iterable[Held] = (), drop: Iterable[str] = (), version: int) -> None:
        """What changed since the copy that is held: rules that now stand (new or changed), keys of those that no longer do."""
        for key in drop:
            self._drop(key)
        for rule in put:
            self._drop(rule.key)
            self._rules[rule.key] = rule
            self._on[rule.target] = (*self.on(rule.target), rule)
        self.confirm(version)

    def confirm(self, version: int) -> None:
        """The store was asked just now, and this is what it holds."""
        self.version = version
        self._confirmed = self._now()

    def _drop(self, key: str) -> None:
        rule = self._rules.pop(key, None)
        if rule is None:
            return
        left = tuple(other for other in self._on[rule.target] if other.key != key)
        if left:
            self._on[rule.target] = left
        else:
            del self._on[rule.target]
