"""Everything that a renderer, a rule or a summary may know about one incident, read in one go. Frozen.

Decides nothing; answers the questions that several rooms ask of the same facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.incident.approval import glass_broken
from bot.incident.evidence import Evidence
from bot.incident.incident import Alert, GatheredSubject, Incident, RoleHeld, StakeholderUpdate
from bot.incident.learning import Exposure
from bot.incident.outward import Surface, SurfaceKind
from bot.incident.validation import ValidationRun
from bot.incident.words import ActionState, Phase, Role, StepState
from bot.incident.work import Action, Approval, Step


@dataclass(frozen=True)
class CaseFile:
    incident: Incident
    alerts: Sequence[Alert]
    """The latest, oldest first; `incident.alert_count` counts all."""
    evidence: Sequence[Evidence]
    """The latest, oldest first."""
    steps: Sequence[Step]
    actions: Sequence[Action]
    approvals: Sequence[Approval]
    roles: Sequence[RoleHeld]
    updates: Sequence[StakeholderUpdate]
    surfaces: Sequence[Surface]
    now: datetime
    gathered: Sequence[GatheredSubject] = ()
    """The few of a storm's further subjects with the most alerts; `incident.gathered` counts all."""
    announces: Sequence[Incident] = ()
    """The other incidents that stakeholders read about on this one's line."""
    validations: Sequence[ValidationRun] = ()
    """Every replay against a fix, oldest first. Their trials are not read with it."""
    exposure: Exposure | None = None
    """How far it went, as it is known now; None while nobody estimated it."""

    @property
    def holders(self) -> Mapping[Role, str]:
        return {held.role: held.person for held in self.roles}

    @property
    def commander(self) -> str | None:
        return self.holders.get(Role.COMMANDER)

    def of_phase(self, phase: Phase) -> Sequence[Step]:
        return [step for step in self.steps if step.phase is phase]

    def step(self, step_id: str) -> Step | None:
        return next((step for step in self.steps if step.step_id == step_id), None)

    def signed(self, action: Action) -> Sequence[Approval]:
        return [approval for approval in self.approvals if approval.action == action.id]

    def surface(self, kind: SurfaceKind, part: str = "") -> Surface | None:
        return next((s for s in self.surfaces if s.kind is kind and s.part == part), None)

    @property
    def open_steps(self) -> Sequence[Step]:
        return [step for step in self.steps if step.state is StepState.OPEN]

    def glass_broken(self, action: Action) -> Approval | None:
        """Who had it carried out by break-glass, when and why: the review looks at each. None where it was approved."""
        return glass_broken(action, self.approvals)

    @property
    def in_force(self) -> Sequence[Action]:
        """Actions that are enforced now, or may be: what must be looked at before the incident ends."""
        held = {ActionState.VERIFIED, ActionState.UNKNOWN, ActionState.EXECUTING}
        return [action for action in self.actions if action.state in held]

    @property
    def minute(self) -> int:
        """Whole minutes since the incident was declared."""
        return max(0, int((self.now - self.incident.declared_at).total_seconds() // 60))

    def fact(self, name: str) -> bool:
        """A fact that a first-hour window may need. Raises KeyError on a name that no fact has (the loader checks them)."""
        incident = self.incident
        return {
            "acknowledged": incident.acknowledged_at is not None,
            "severity_confirmed": incident.severity_confirmed_at is not None,
            "commander": self.commander is not None,
            "evidence": bool(self.evidence),
            "contained": incident.contained_at is not None,
            "scope": self.exposure is not None
            or any(s.step_id.endswith(".scope") and s.state is not StepState.OPEN for s in self.steps),
            "briefed": incident.briefed_at is not None,
        }[name]
