"""A report and a run's progress in words, for a terminal. Payloads are named by the beginning of their SHA-256.

Decides what is said in which order. What it means is `verdict`'s.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.incident.words import Verdict
from bot.validation.plan import Progress
from bot.validation.report import PayloadResult, Report, percent

MOST = 20
"""Payloads that are told one by one; those that did not pass come first."""


def lines(report: Report) -> Iterator[str]:
    yield report.summary
    for reason in report.reasons[0 if report.verdict is Verdict.VERIFIED and report.under_containment else 1 :]:
        yield f"  · {reason}"
    yield ""
    version, before = report.target_version or "not known", report.vulnerable_version or "not known"
    yield f"Target {report.target}, version {version}; vulnerable version {before}."
    yield (
        f"{report.trials} trials in {report.calls} calls. Benign answered: {report.benign_answered} of {report.benign}. "
        f"Recorded attacks recognised: {report.positive_fired} of {report.positive}."
    )
    ordered = sorted(report.payloads, key=lambda result: (result.passed, -result.successes))
    for result in ordered[:MOST]:
        yield _payload(result)
    if len(ordered) > MOST:
        yield f"  and {len(ordered) - MOST} more payloads; --json has them."
    for note in report.notes:
        yield f"Note: {note}"


def _payload(result: PayloadResult) -> str:
    outcomes = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in result.outcomes.items()) or "not tried"
    if result.successes:
        rate = f"works in {percent(result.lower)} to {percent(result.upper)} of attempts"
    else:
        rate = f"works in at most {percent(result.upper)} of attempts"
    said = "pass" if result.passed else "FAIL" if result.successes else "open"
    why = f"; {result.reason}" if result.reason and not result.successes else ""
    return (
        f"  {said}  {result.payload[:12]}  {outcomes}; {rate} (95 %), {len(result.families)} families of variants{why}"
    )


def standing(progress: Progress) -> str:
    """One line of a run that goes on."""
    succeeded = f", {progress.succeeded} succeeded" if progress.succeeded else ""
    invalid = f", {progress.outcomes['invalid']} trials invalid" if progress.outcomes.get("invalid") else ""
    waiting = f", waiting {progress.waiting:.0f} s as the target asks" if progress.waiting > 1 else ""
    return f"{progress.payloads_done} of {progress.payloads} payloads, {progress.trials} trials{succeeded}{invalid}{waiting}"
