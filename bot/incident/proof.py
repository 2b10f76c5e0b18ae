"""Which validation proves that the fix holds now. Pure; nothing else decides.

A run counts from the last time the incident was opened again: what held before did not hold. Of each target its last run that
learnt something counts. One whose attack succeeded stands against the fix until a later run of the same target verifies it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.incident.incident import Incident
from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.validation import ValidationRun
from bot.incident.words import RunState, Status, Verdict


@dataclass(frozen=True)
class Standing:
    """What is proven of an incident's fix."""

    proof: ValidationRun | None = None
    """The last run that verified it, without containment of the test's own identity."""
    against: ValidationRun | None = None
    """The last run in which an attack succeeded, where nothing has answered it since."""
    lacking: str = ""
    """Why there is no proof, in a sentence; empty where there is one."""


def standing(incident: Incident, runs: Iterable[ValidationRun], reopened_at: datetime | None) -> Standing:
    """What the runs of this incident, in any order, prove. `reopened_at`: when it was last opened again."""
    mine = sorted((run for run in runs if run.incident == incident.number), key=lambda run: run.id or 0)
    since = [run for run in mine if reopened_at is None or run.started_at >= reopened_at]
    last = {run.target: run for run in since if _decides(run)}
    against = next((run for run in reversed(last.values()) if run.verdict is Verdict.INCOMPLETE), None)
    if against is not None:
        return Standing(None, against, f"an attack succeeded in validation {against.id}, against {against.target}")
    proof = next((run for run in sorted(last.values(), key=_finished, reverse=True) if _fresh(run, incident)), None)
    return Standing(proof) if proof is not None else Standing(lacking=_lacking(mine, since))


def _decides(run: ValidationRun) -> bool:
    """An inconclusive run takes nothing away from an earlier one, and one under containment says nothing of the fix."""
    if run.state is not RunState.FINISHED or run.verdict in {None, Verdict.INCONCLUSIVE}:
        return False
    return run.verdict is Verdict.INCOMPLETE or not run.contained_meanwhile


def _fresh(run: ValidationRun, incident: Incident) -> bool:
    remediated = incident.remediated_at
    return remediated is None or (run.finished_at is not None and run.finished_at >= remediated)


def _finished(run: ValidationRun) -> datetime:
    return run.finished_at or run.started_at


def _lacking(mine: Sequence[ValidationRun], since: Sequence[ValidationRun]) -> str:
    if not mine:
        return "the fix was never validated"
    if not since:
        return "the fix was not validated since the incident was opened again"
    last = since[-1]
    if last.state is not RunState.FINISHED:
        return f"validation {last.id} is {last.state.value}"
    if last.verdict is Verdict.VERIFIED and last.contained_meanwhile:
        return f"validation {last.id} verified it under containment only"
    return f"validation {last.id} came to {last.verdict.value if last.verdict else 'nothing'}"


def reopened(entries: Iterable[TimelineEntry]) -> datetime | None:
    """When the incident was last opened again, of its timeline in order."""
    opened = [e.at for e in entries if e.kind is Happened.STATUS_CHANGED and e.data.get("to") == Status.REOPENED.value]
    return opened[-1] if opened else None
