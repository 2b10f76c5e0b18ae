"""What a first-hour window still lacks, and who is to be asked for it. Pure.

Decides when a need is met. What the windows need is `playbooks/first_hour.yaml`'s.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.incident.casefile import CaseFile
from bot.incident.columns import Json
from bot.incident.words import Role, StepState
from bot.incident.work import Step
from bot.playbook.first_hour import Need, Window


def missing(file: CaseFile, window: Window) -> list[Json]:
    """`[{"id", "label", "owner"}]` of what is not done; `owner` is a Slack user id, or None where nobody is responsible yet."""
    return [
        {"id": need.id, "label": need.label, "owner": _owner(file, need)} for need in window.needs if _open(file, need)
    ]


def _open(file: CaseFile, need: Need) -> bool:
    """A step that this incident's checklist does not have cannot be asked for."""
    if need.kind == "fact":
        return not file.fact(need.id)
    return any(step.state is StepState.OPEN for step in _steps(file, need))


def _steps(file: CaseFile, need: Need) -> Sequence[Step]:
    """The step of this id, or those below it: `evidence.logs` stands for `evidence.logs.gateway` too."""
    exact = file.step(need.id)
    return [exact] if exact else [step for step in file.steps if step.step_id.startswith(f"{need.id}.")]


def _owner(file: CaseFile, need: Need) -> str | None:
    """Whoever owns the step, else whoever holds the role, else the commander."""
    if need.kind == "step":
        for step in _steps(file, need):
            if step.owner and step.state is StepState.OPEN:
                return step.owner
    held = file.holders.get(Role(need.role)) if need.role in set(Role) else None
    return held or file.commander
