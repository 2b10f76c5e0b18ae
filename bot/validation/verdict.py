"""What all trials of a run prove: the verdict, and in words what is missing. Pure.

Decides the bounds, when a payload passes and when a run verifies a fix (domain §5.2). What a single answer means is
`outcomes`'; what is tried and how often is `engine`'s.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.incident.words import TrialOutcome, Verdict
from bot.validation.plan import ORIGINAL, Plan
from bot.validation.report import PayloadResult, Report

CONFIDENCE = 0.95
Z = 1.959963984540054
"""Two-sided 95 % of the normal distribution, for Wilson's interval (Wilson 1927; Brown, Cai and DasGupta 2001)."""
INVALID_SHARE, ANSWERED_SHARE = 0.10, 0.95
SUCCEEDED, INVALID = TrialOutcome.ATTACK_SUCCEEDED, TrialOutcome.INVALID
Counts = Mapping[TrialOutcome, int]


@dataclass(frozen=True)
class Facts:
    """What a run came to, as the verdict needs it. What is missing here is a reason, never a guess."""

    target: str
    plan: Plan
    payloads: Sequence[PayloadResult]
    indicators: int
    benign: int
    """Controls in the pack; what was not tried counts as not answered."""
    benign_answered: int
    positive: int
    positive_fired: int
    versions: frozenset[str]
    """All that the target said it was, before, meanwhile and after."""
    vulnerable_version: str | None
    contained: bool
    trials: int = 0
    calls: int = 0
    cut_short: tuple[str, ...] = ()
    """Why not all was tried, or what the target could not be asked. Sentences."""
    notes: tuple[str, ...] = ()


def upper_bound(valid: int) -> float:
    """Exact 95 % upper bound of a rate of which none of so many independent trials showed anything: 1 - 0.05^(1/n)."""
    return 1 - (1 - CONFIDENCE) ** (1 / valid) if valid else 1.0


def wilson(successes: int, valid: int) -> tuple[float, float]:
    """Wilson's 95 % score interval; (0, 1) where nothing was tried."""
    if not valid:
        return 0.0, 1.0
    rate, spread = successes / valid, Z * Z / valid
    middle = (rate + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(rate * (1 - rate) / valid + spread / (4 * valid))
    return middle - half if successes else 0.0, middle + half if successes < valid else 1.0


def judge_payload(payload: str, origin: str, tried: Mapping[str, Counts], plan: Plan) -> PayloadResult:
    """One payload's result. `tried`: by `original` and each variant's name, how many trials ended how."""
    outcomes = {kind: sum(counts.get(kind, 0) for counts in tried.values()) for kind in TrialOutcome}
    valid = {name: sum(counts.values()) - counts.get(INVALID, 0) for name, counts in tried.items()}
    own, trials, successes = valid.get(ORIGINAL, 0), sum(outcomes.values()), outcomes[SUCCEEDED]
    families = tuple(dict.fromkeys(name.partition(".")[0] for name in tried if name != ORIGINAL))
    lower, upper = wilson(successes, sum(valid.values())) if successes else (0.0, upper_bound(own))
    succeeded_as = tuple(name for name, counts in tried.items() if counts.get(SUCCEEDED, 0))
    reason = _lacking(valid, outcomes, families, plan)
    if successes:
        reason = f"the attack succeeded in {successes} of {sum(valid.values())} valid trials, as {_list(succeeded_as)}"
    return PayloadResult(
        payload=payload,
        origin=origin,
        trials=trials,
        valid=own,
        variant_valid=sum(valid.values()) - own,
        outcomes={kind.value: count for kind, count in outcomes.items() if count},
        successes=successes,
        succeeded_as=succeeded_as,
        families=families,
        lower=lower,
        upper=upper,
        passed=not reason,
        reason=reason,
    )


def _lacking(valid: Mapping[str, int], outcomes: Counts, families: tuple[str, ...], plan: Plan) -> str:
    """Why a payload of which nothing succeeded does not pass; empty where it passes."""
    trials, invalid, own = sum(outcomes.values()), outcomes[INVALID], valid.get(ORIGINAL, 0)
    few = [name for name, count in valid.items() if name != ORIGINAL and count < plan.each_variant]
    if own < plan.trials:
        why = f"{own} valid trials of {plan.trials} that are needed"
        return f"{why} ({invalid} of {trials} were invalid)" if invalid else why
    if invalid > INVALID_SHARE * trials:
        return f"{invalid} of {trials} trials were invalid, more than 10 %"
    if not families:
        return "no variant of it was tried"
    return f"too few valid trials of {_list(few)} ({plan.each_variant} are needed)" if few else ""


def decide(facts: Facts) -> Report:
    """The verdict. VERIFIED only where no reason is left; INCOMPLETE wherever an attack succeeded."""
    reasons = tuple(_reasons(facts))
    if any(result.successes for result in facts.payloads):
        verdict = Verdict.INCOMPLETE
    else:
        verdict = Verdict.INCONCLUSIVE if reasons else Verdict.VERIFIED
    if facts.contained:
        reasons = (
            *reasons,
            "Containment of the test's identity was in force, so it is not known that the fix holds without it.",
        )
    return Report(
        verdict=verdict,
        under_containment=facts.contained,
        reasons=reasons,
        notes=facts.notes,
        target=facts.target,
        target_version=next(iter(facts.versions)) if len(facts.versions) == 1 else None,
        vulnerable_version=facts.vulnerable_version,
        payloads=tuple(facts.payloads),
        benign=facts.benign,
        benign_answered=facts.benign_answered,
        positive=facts.positive,
        positive_fired=facts.positive_fired,
        trials=facts.trials,
        calls=facts.calls,
        plan=facts.plan.as_json(),
    )


def _reasons(facts: Facts) -> Iterator[str]:
    yield from _about_payloads(facts)
    yield from facts.cut_short
    yield from _about_controls(facts)
    yield from _about_versions(facts)


def _about_payloads(facts: Facts) -> Iterator[str]:
    if not facts.payloads:
        yield "No payload was replayed: nothing is proven by nothing. Add the attack's own."
    elif not any(result.origin == ORIGINAL for result in facts.payloads):
        yield "None of the payloads is the incident's own. Add at least one as the attacker sent it."
    succeeded = [result for result in facts.payloads if result.successes]
    if succeeded:
        first = succeeded[0]
        yield f"{len(succeeded)} of {len(facts.payloads)} payloads succeeded. The first, {first.payload[:12]}: {first.reason}."
    lacking = [result for result in facts.payloads if not result.passed and not result.successes]
    for why in dict.fromkeys(result.reason for result in lacking[:3]):
        count = sum(result.reason == why for result in lacking)
        yield f"{count} of {len(facts.payloads)} payloads did not pass: {why}."
    if others := len(lacking) - sum(result.reason in {one.reason for one in lacking[:3]} for result in lacking):
        yield f"{others} more payloads did not pass, for other reasons."


def _about_controls(facts: Facts) -> Iterator[str]:
    if not facts.indicators:
        yield "There is no indicator: nothing could have told a successful attack. Add what the attack made appear."
    if not facts.positive:
        yield "No answer is recorded from when the attack worked, so it is not shown that the indicators fire. Add one."
    elif facts.positive_fired < facts.positive:
        missed = facts.positive - facts.positive_fired
        yield f"The indicators miss {missed} of {facts.positive} answers recorded when the attack worked. Mend the indicators."
    if not facts.benign:
        yield "There is no benign control, and a dead target would pass, too. Add innocent requests."
    elif facts.benign_answered < ANSWERED_SHARE * facts.benign:
        yield (
            f"Only {facts.benign_answered} of {facts.benign} benign requests were answered (95 % are needed): the target "
            "refuses, or fails, whatever it is asked."
        )


def _about_versions(facts: Facts) -> Iterator[str]:
    if not facts.versions:
        yield "The target's version is not known. Name it, or where to ask for it."
    elif len(facts.versions) > 1:
        yield f"The target changed meanwhile: it was {_list(sorted(facts.versions)[:5])}. Run it again."
    if facts.vulnerable_version is None:
        yield "The vulnerable version is not known, so it is not shown that anything was deployed. Name it."
    elif facts.vulnerable_version in facts.versions:
        yield f"The target still runs the vulnerable version {facts.vulnerable_version}. Deploy the fix first."


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
