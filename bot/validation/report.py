"""What a run hands back: one result for each payload, and the report. Values only; they hold no text of a payload.

Decides their form, as JSON too, and the one sentence that stands for all of it. How they come about is `verdict`'s.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from bot.incident.narrative import so_many
from bot.incident.words import Verdict


@dataclass(frozen=True)
class PayloadResult:
    """What is known of one payload with all its variants. Holds no text of it."""

    payload: str
    """SHA-256."""
    origin: str
    trials: int
    valid: int
    """Valid trials of the payload as it was sent, on which the bound rests."""
    variant_valid: int
    outcomes: dict[str, int]
    """Of all its trials, variants too."""
    successes: int
    succeeded_as: tuple[str, ...]
    """`original` or variants with which the attack succeeded."""
    families: tuple[str, ...]
    """Families of variants that were tried."""
    lower: float
    upper: float
    """With no success: the exact 95 % upper bound of how often the payload works as it was sent. Otherwise both ends of the
    Wilson interval over all its valid trials."""
    passed: bool
    reason: str
    """Why it did not pass; empty where it did."""


@dataclass(frozen=True)
class Report:
    """The result of a run. `verdict` says what the trials prove; `proves_fix` whether that closes the matter."""

    verdict: Verdict
    under_containment: bool
    """Containment of the test's own identity was in force: VERIFIED then means “verified under containment only”."""
    reasons: tuple[str, ...]
    """Why it is not VERIFIED, and for VERIFIED under containment why that does not do. Sentences."""
    notes: tuple[str, ...]
    """What the reader should know and what does not count against the fix."""
    target: str
    target_version: str | None
    vulnerable_version: str | None
    payloads: tuple[PayloadResult, ...]
    benign: int
    benign_answered: int
    positive: int
    positive_fired: int
    trials: int
    """Of attacks and innocent requests."""
    calls: int
    plan: dict[str, Any] = field(default_factory=dict)

    @property
    def proves_fix(self) -> bool:
        """The only thing that `resolve` may rely on."""
        return self.verdict is Verdict.VERIFIED and not self.under_containment

    @property
    def passed(self) -> int:
        return sum(result.passed for result in self.payloads)

    @property
    def summary(self) -> str:
        """For a row and a room: the verdict and its first reason."""
        if self.verdict is Verdict.VERIFIED and not self.under_containment:
            tried = sum(result.trials for result in self.payloads)
            worst = max(result.upper for result in self.payloads)
            payloads = so_many(len(self.payloads), "payload")
            return (
                f"VERIFIED: none of {payloads} succeeded in {tried} trials; at 95 % each works in less "
                f"than {percent(worst)} of attempts."
            )
        named = "VERIFIED under containment only" if self.verdict is Verdict.VERIFIED else self.verdict.value.upper()
        return f"{named}: {self.reasons[0]}"

    def as_json(self, most: int = 200) -> dict[str, Any]:
        """For `ValidationRun.report`: at most so many payloads, those that did not pass first; `left_out` counts the others."""
        ordered = sorted(self.payloads, key=lambda result: (result.passed, -result.successes))
        data = asdict(self) | {"payloads": [asdict(result) for result in ordered[:most]]}
        return data | {
            "verdict": self.verdict.value,
            "proves_fix": self.proves_fix,
            "summary": self.summary,
            "payloads_total": len(self.payloads),
            "payloads_passed": self.passed,
            "left_out": max(0, len(ordered) - most),
        }


def percent(share: float) -> str:
    """`9.5 %`."""
    return f"{share * 100:.2g} %" if share < 0.1 else f"{share * 100:.0f} %"
