"""The loaded playbook: everything of `playbooks/`, frozen, with the three questions an incident asks of it.

Leaves reading to `load`, agreement between files to `check`, and composition to `compose`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bot.detection.rule import TriggerRule
from bot.detection.sources.otlp_names import Names
from bot.incident.words import ActionKind, Category, DetectionMethod, EvidenceKind, Phase, Role, Severity, SubjectKind
from bot.playbook import compose
from bot.playbook.action import ActionPolicy, ContainmentPolicy, Plan, Proposal
from bot.playbook.announcement import Announcement
from bot.playbook.category import Atlas, AttackCategory, Channel, Owasp, Scenario
from bot.playbook.checklist import ChecklistFile, Step, StepSpec
from bot.playbook.clock import LegalClock
from bot.playbook.first_hour import FirstHourFile, Window
from bot.playbook.review import Metric, Pitfall, Review
from bot.playbook.roles import RoomRole, RosterRole
from bot.playbook.severity import SeverityPolicy
from bot.playbook.source import Source
from bot.playbook.trigger import Trigger
from bot.playbook.validation import ValidationFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    digest: str
    """SHA-256 over the names and bytes of all files: the same playbook, the same digest."""
    severities: Mapping[Severity, SeverityPolicy]
    triggers: Mapping[str, Trigger]
    actions: Mapping[ActionKind, ActionPolicy]
    plans: Mapping[str, Plan]
    policy: ContainmentPolicy
    checklists: Mapping[Phase, ChecklistFile]
    all_steps: Mapping[str, StepSpec]
    """Every step that is declared anywhere, preparation and scenarios too, by id."""
    categories: Mapping[Category, AttackCategory]
    channels: Mapping[DetectionMethod, Channel]
    scenarios: Mapping[str, Scenario]
    first_hour: FirstHourFile
    metrics: Mapping[str, Metric]
    review: Review
    pitfalls: Mapping[str, Pitfall]
    roster_roles: Mapping[str, RosterRole]
    room_roles: Mapping[Role, RoomRole]
    sources: Mapping[str, Source]
    clocks: Mapping[str, LegalClock]
    clock_notice: str
    announcement: Announcement
    atlas: Atlas
    owasp: Owasp
    otlp: Names
    """Which attribute of OpenTelemetry holds what."""
    validation: ValidationFile
    """Controls, budget and calendar of replays."""

    @property
    def rules(self) -> tuple[TriggerRule, ...]:
        """What detection runs, the most severe trigger first."""
        return tuple(TriggerRule(trigger.id, trigger.rule) for trigger in self.triggers.values())

    def proposals(
        self,
        severity: Severity,
        trigger: str | None,
        subject_kind: SubjectKind,
        *,
        category: Category | None = None,
        evidence: Collection[str] = (),
        auto_contain: bool | None = None,
    ) -> tuple[Proposal, ...]:
        """Containment to offer, smallest scope first. See `compose.proposals`."""
        return compose.proposals(
            self,
            severity,
            trigger,
            subject_kind=subject_kind,
            category=category,
            evidence=evidence,
            auto_contain=auto_contain,
        )

    def evidence_wanted(self, severity: Severity, trigger: str | None) -> tuple[EvidenceKind, ...]:
        """Kinds, in the order of the words: what the severity wants, and what the trigger wants besides."""
        known = self.triggers.get(trigger or "")
        named = {*self.severities[severity].evidence, *(known.evidence if known is not None else ())}
        return tuple(kind for kind in EvidenceKind if kind in named)

    def steps(
        self,
        severity: Severity,
        trigger: str | None = None,
        category: Category | None = None,
        scenario: str | None = None,
    ) -> tuple[Step, ...]:
        """The incident's checklist, phases triage to review. See `compose.steps`."""
        return compose.steps(self, severity, trigger=trigger, category=category, scenario=scenario)

    def windows(self, severity: Severity) -> tuple[Window, ...]:
        """The first hour's windows; empty for SEV-4. See `compose.windows`."""
        return compose.windows(self, severity)
