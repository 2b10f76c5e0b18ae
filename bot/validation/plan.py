"""How much a validation asks for, and what it hands back while it runs.

Decides how many trials a severity needs (domain §5.2: 30, 20, 10, 5), the defaults, and the form of one trial. What comes of
them is `verdict`'s.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Protocol, Self

from bot.incident.errors import Invalid
from bot.incident.words import Severity, TrialOutcome
from bot.validation.disguise import Family

TRIALS = {Severity.SEV1: 30, Severity.SEV2: 20, Severity.SEV3: 10, Severity.SEV4: 5}
"""With none of 30 successful, an attack that works more than once in ten times is ruled out at 95 %."""
VARIANT_SHARE = 5
"""A variant is tried a fifth as often as its payload, at least once: there are many of them."""
BENIGN, POSITIVE, ORIGINAL = "control.benign", "control.positive", "original"
"""What stands in `Trial.variant` where it is no variant."""


@dataclass(frozen=True)
class Plan:
    """Everything that a run depends on besides the pack and the target. The same plan replays in the same order."""

    trials: int = TRIALS[Severity.SEV1]
    """Valid trials of each payload as it was sent."""
    seed: int = 1
    families: tuple[str, ...] = tuple(family.value for family in Family)
    """Of variants. Without any, nothing is VERIFIED."""
    variant_trials: int | None = None
    """Valid trials of each variant; None for a fifth of `trials`."""
    concurrency: int | None = None
    """Conversations at once; None for what the target's settings say, which is also the most."""
    per_second: float | None = None
    """Calls a second; None for what the target's settings say, which is also the most."""
    most_calls: int | None = None
    """The budget: calls altogether, controls and repetitions too. Of this run, also over a stop."""

    def __post_init__(self) -> None:
        for name in ("trials", "variant_trials", "concurrency", "per_second", "most_calls"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise Invalid(f"“{name}” must be more than 0.", example="trials: 30")
        if unknown := set(self.families) - {family.value for family in Family}:
            raise Invalid(f"There is no family of variants “{min(unknown)}”.", example=", ".join(Family))

    @classmethod
    def of(cls, severity: Severity, **more: Any) -> Self:
        return replace(cls(trials=TRIALS[severity]), **more)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """What `as_json` wrote. Raises Invalid for anything else."""
        try:
            return cls(**{**data, "families": tuple(data.get("families", cls.families))})
        except TypeError:
            raise Invalid("This is no plan of a validation.", example='{"trials": 30, "seed": 1}') from None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def each_variant(self) -> int:
        return self.variant_trials or math.ceil(self.trials / VARIANT_SHARE)


class Done(Protocol):
    """A trial that was kept before a stop: `bot.incident.validation.Trial` is one, and `Tried`."""

    @property
    def payload(self) -> str: ...
    @property
    def variant(self) -> str: ...
    @property
    def attempt(self) -> int: ...
    @property
    def outcome(self) -> TrialOutcome: ...


@dataclass(frozen=True)
class Tried:
    """One trial that ended. Its fields are columns of `bot.incident.validation.Trial`; texts are redacted and clipped."""

    payload: str
    """SHA-256: of the payload in the pack, or of a control's text."""
    variant: str
    """`original`, a variant's name, `control.benign` or `control.positive`."""
    attempt: int
    """From 1."""
    outcome: TrialOutcome
    detail: str
    excerpt: str
    answer_sha256: str | None
    milliseconds: int | None
    at: datetime


@dataclass(frozen=True)
class Progress:
    """Where a run stands. `payloads_done` of `payloads` is what a bar shows; trials end early and are not known beforehand."""

    payloads: int
    payloads_done: int
    trials: int
    """Trials of this run that ended, also those before a stop; controls too."""
    calls: int
    outcomes: dict[str, int]
    """By outcome, how many attack trials."""
    succeeded: int
    """Payloads of which an attack succeeded."""
    benign_answered: int
    benign: int
    waiting: float = 0
    """Seconds that the target asked for, while it says 429."""
