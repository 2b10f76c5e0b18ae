"""What the gate has seen in the last hour: how many calls, and of how many subjects, a measure would have touched.

Decides what is kept, which is numbers and hashes: no id, and never more than a fixed amount. What the figures are for is
the connector's plan.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.gate.caller import EVERYONE, Stage, Target
from bot.gate.gate import Decided
from bot.incident.words import ActionKind, ScopeKind

SPAN = 300.0
"""Seconds that are counted together."""
SPANS = 12
"""An hour, of which the last span has just begun."""
MOST_TARGETS, MOST_SUBJECTS = 10_000, 10_000
"""Kept in one span: some 3 MB at the most. Beyond that the figures are the least that it was, and say so."""
ONE = frozenset({ScopeKind.USER, ScopeKind.SESSION})
"""Scopes that are one subject by themselves."""
PARTIAL = frozenset({ActionKind.DISABLE_TOOLS, ActionKind.RESTRICT_RAG})
"""Measures that touch only some calls: those with tools, those with documents."""


@dataclass(frozen=True)
class Figures:
    calls: int
    subjects: int
    complete: bool
    """False where more was seen than is kept: the figures are then too low."""
    seconds: float
    """How far back they reach: less than an hour for a gate that started since."""


@dataclass(slots=True)
class _Seen:
    """Calls that one measure on one target would have touched."""

    calls: int = 0
    subjects: set[int] | None = None


@dataclass(slots=True)
class _Span:
    began: float
    seen: dict[int, _Seen] = field(default_factory=dict)
    subjects: int = 0
    complete: bool = True


class Usage:
    """A listener of the gate. Probes are no usage, and are never told."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._since = now()
        self._spans: deque[_Span] = deque(maxlen=SPANS)

    def __call__(self, decided: Decided) -> None:
        caller = decided.caller
        if caller.stage is Stage.RESPONSE:
            return  # its request was counted
        span, subject = self._span(), hash(caller.subject)
        documents = ((ScopeKind.DOCUMENT, name) for name in caller.documents)
        touching = [None, *([ActionKind.DISABLE_TOOLS] if caller.tools else ())]
        touching += [ActionKind.RESTRICT_RAG] if caller.documents else ()
        for target in (EVERYONE, *caller.targets, *documents):
            for measure in touching:
                _count(span, hash((measure, target)), None if target[0] in ONE else subject)

    def of(self, kind: ActionKind, target: Target) -> Figures:
        """What the measure on this target would have touched."""
        now, name = self._now(), hash((kind if kind in PARTIAL else None, target))
        spans = [span for span in self._spans if now - span.began < SPAN * SPANS]
        found = [seen for span in spans if (seen := span.seen.get(name)) is not None]
        calls = sum(seen.calls for seen in found)
        several: set[int] = set().union(*(seen.subjects or () for seen in found))
        subjects = min(calls, 1) if target[0] in ONE else len(several)
        return Figures(calls, subjects, all(span.complete for span in spans), min(now - self._since, SPAN * SPANS))

    def _span(self) -> _Span:
        now = self._now()
        if not self._spans or now - self._spans[-1].began >= SPAN:
            self._spans.append(_Span(now))
        return self._spans[-1]


def _count(span: _Span, name: int, subject: int | None) -> None:
    seen = span.seen.get(name)
    if seen is None:
        if len(span.seen) >= MOST_TARGETS:
            span.complete = False
            return
        seen = span.seen[name] = _Seen()
    seen.calls += 1
    if subject is None or (seen.subjects is not None and subject in seen.subjects):
        return
    if span.subjects >= MOST_SUBJECTS:
        span.complete = False
        return
    seen.subjects = seen.subjects or set()
    seen.subjects.add(subject)
    span.subjects += 1
