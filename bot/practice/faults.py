"""Faults on purpose: rules that break a call before or after its side effect.

Decides which rule hits which call. How a fault looks on the wire is carried out by ``web``.
"""

from __future__ import annotations

import fnmatch
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from bot.practice.arguments import Arguments

When = Literal["before", "after"]
Kind = Literal["reset", "status", "ratelimited", "error", "delay"]


@dataclass
class Fault:
    """One rule. ``times=None`` hits for ever; ``probability`` below 1 draws from the seeded generator."""

    method: str
    when: When
    kind: Kind
    times: int | None = 1
    probability: float = 1.0
    status: int = 500
    retry_after: int = 1
    error: str = "internal_error"
    seconds: float = 1.0
    where: Callable[[Arguments], bool] | None = None
    """only calls whose arguments satisfy this"""
    hits: int = 0

    @property
    def name(self) -> str:
        """For the record."""
        return f"{self.kind} {self.when}"


@dataclass
class Faults:
    """The rules, first match wins."""

    seed: int = 0
    rules: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def add(
        self,
        *,
        method: str = "*",
        when: When = "before",
        kind: Kind = "error",
        times: int | None = 1,
        probability: float = 1.0,
        status: int = 500,
        retry_after: int = 1,
        error: str = "internal_error",
        seconds: float = 1.0,
        where: Callable[[Arguments], bool] | None = None,
    ) -> Fault:
        """Add a rule; ``method`` may be a pattern such as ``chat.*`` or ``response_url``."""
        rule = Fault(method, when, kind, times, probability, status, retry_after, error, seconds, where)
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Take all rules away."""
        self.rules.clear()

    def hit(self, method: str, when: When, args: Arguments) -> Fault | None:
        """The rule that breaks this call now, counted as a hit."""
        for rule in self.rules:
            if rule.when != when or not fnmatch.fnmatchcase(method, rule.method):
                continue
            if rule.times is not None and rule.hits >= rule.times:
                continue
            if rule.where is not None and not rule.where(args):
                continue
            if rule.probability < 1 and self._random.random() >= rule.probability:
                continue
            rule.hits += 1
            return rule
        return None
