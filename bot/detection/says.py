"""What an event says of its call, to a ratio rule: that it was blocked, or flagged, and whether it got through.

Decides which verdicts count: not our own gate's, and none of a category that is allowed. How what is said of a call is kept
is `attempts`'.
"""

from __future__ import annotations

from bot.detection.attempts import BLOCKED, DELIVERED, FLAGGED, REFUSED, STOPPED
from bot.detection.event import Event, Outcome, Verdict
from bot.detection.rule import RatioRule
from bot.detection.signals import Ours

BLOCK, FLAG = Outcome.BLOCK, Outcome.FLAG


class Says:
    def __init__(self, rule: RatioRule) -> None:
        self._ours = Ours(rule.own_guardrails)
        self._allowed = frozenset(rule.allowed_categories)

    def of(self, event: Event) -> int:
        """Bits of `attempts`; 0 where it is no attempt."""
        told = 0
        for verdict in event.verdicts:
            outcome = verdict.outcome
            if outcome is not BLOCK and outcome is not FLAG:
                continue
            if not self._ours[verdict.guardrail] and not (self._allowed and self._allows(verdict)):
                told |= BLOCKED if outcome is BLOCK else FLAGGED
        if told:
            if event.delivered is True:
                told |= DELIVERED
            elif event.delivered is False and told & FLAGGED:
                told |= STOPPED
            if event.refused is True:
                told |= REFUSED
        return told

    def not_beside(self, event: Event) -> set[str]:
        """Guardrails whose verdicts are no other signal: what the rule counts itself, and what our own gate holds back."""
        return {
            verdict.guardrail
            for verdict in event.verdicts
            if self._ours[verdict.guardrail] or (verdict.outcome in (BLOCK, FLAG) and not self._allows(verdict))
        }

    def _allows(self, verdict: Verdict) -> bool:
        return bool(verdict.categories) and self._allowed.issuperset(verdict.categories)
