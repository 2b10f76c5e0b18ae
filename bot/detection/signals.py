"""Independent signals: what speaks for a finding beside what its rule counts (`require_signals` of a rule).

Decides what is a signal: each name among an event's `signals`, and each guardrail that flagged, masked or blocked and was
not counted by the rule itself. How many a rule wants, and over which events, is the primitive's.
"""

from __future__ import annotations

from collections.abc import Collection

from bot.detection.event import Outcome, Seen

RAISED = frozenset({Outcome.FLAG, Outcome.MASK, Outcome.BLOCK})
MOST = 32
"""Names that one key remembers. Nobody wants more than a few."""
MOST_GUARDRAILS = 1_000
"""Names that are remembered: whoever sends events chooses them."""


class Ours(dict[str, bool]):
    """By a guardrail's name, whether it is our own. Remembered: to compare without regard to case costs more than to count."""

    def __init__(self, prefixes: Collection[str]) -> None:
        super().__init__()
        self._prefixes = tuple(prefix.casefold() for prefix in prefixes)

    def __missing__(self, name: str) -> bool:
        if len(self) >= MOST_GUARDRAILS:
            self.clear()
        known = self[name] = name.casefold().startswith(self._prefixes)
        return known


def signals_of(seen: Seen, counted: Collection[str] = ()) -> set[str]:
    """Names of the independent signals of one event. `counted`: guardrails that the rule itself counts."""
    event = seen.event
    names = {signal.name for signal in event.signals}
    for verdict in event.verdicts:
        if verdict.outcome in RAISED and verdict.guardrail not in counted:
            names.add(f"guardrail {verdict.guardrail}")
    return names


def remember(held: dict[str, float] | None, names: Collection[str], at: float) -> dict[str, float] | None:
    """Each name with the latest time it was seen."""
    if not names:
        return held
    held = held or {}
    for name in names:
        if name in held or len(held) < MOST:
            held[name] = max(at, held.get(name, at))
    return held


def enough(wanted: int, held: dict[str, float] | None, since: float) -> bool:
    """What the rule counts is one of the `wanted`; names since that time are the others."""
    return wanted <= 1 or 1 + sum(at >= since for at in (held or {}).values()) >= wanted
