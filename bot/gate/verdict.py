"""What the gate answers: one frozen verdict, and the neutral words that a caller may read.

Decides how strict each outcome is and what a caller is told: nothing but the incident's number. How a verdict looks in
each protocol is the protocol's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from bot.incident.words import ActionKind

NEUTRAL = "This request cannot be processed at the moment."
APPROVED = "The assistant gives no answers of its own at the moment. Please contact support."
"""What safe mode answers where the rule brings no text of its own."""


class Outcome(StrEnum):
    ALLOWED = "allowed"
    """Perhaps with conditions: see the verdict's `answer`, `tools`, `retrieval` and `withheld`."""
    REFUSED = "refused"
    OFF = "off"
    """The endpoint is out of service."""
    TOOLS_REFUSED = "tools_refused"
    LIMITED = "limited"
    UNKNOWN = "unknown"
    """The gate has no copy of its rules, or one that is too old, and must not let the call pass unjudged."""


STATUS = {
    Outcome.ALLOWED: 200,
    Outcome.REFUSED: 403,
    Outcome.TOOLS_REFUSED: 403,
    Outcome.LIMITED: 429,
    Outcome.OFF: 503,
    Outcome.UNKNOWN: 503,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome = Outcome.ALLOWED
    incident: int | None = None
    """Of the rule that decided: the strictest."""
    measures: tuple[ActionKind, ...] = ()
    """Every measure that touched this call, strictest first. Empty where no rule did."""
    retry_after: float | None = None
    """Seconds until a limited caller may try again."""
    answer: str | None = None
    """Safe mode: to be given in place of the model's answer, and the model must not see the caller's words."""
    tools: bool = True
    """False: no tool may be called."""
    retrieval: bool = True
    """False: nothing may be retrieved."""
    withheld: tuple[str, ...] = ()
    """Documents in quarantine among those that were asked about."""

    @property
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOWED

    @property
    def own(self) -> bool:
        """True where the gate itself interfered: such a decision never feeds a trigger."""
        return bool(self.measures) or not self.allowed

    @property
    def status(self) -> int:
        return STATUS[self.outcome]

    @property
    def reference(self) -> str | None:
        return None if self.incident is None else f"INC-{self.incident}"

    @property
    def wait(self) -> int | None:
        """Whole seconds for `Retry-After`, never too few."""
        return None if self.retry_after is None else max(1, math.ceil(self.retry_after))

    @property
    def message(self) -> str | None:
        """For the caller; None where the call may go on."""
        if self.allowed:
            return None
        wait = f" Try again in {self.wait} s." if self.wait else ""
        return f"{NEUTRAL}{wait}{f' Reference: {self.reference}.' if self.reference else ''}"


NOTHING = Verdict()
"""No rule touches the call."""
UNNAMEABLE = Verdict(Outcome.REFUSED)
UNKNOWN = Verdict(Outcome.UNKNOWN)
