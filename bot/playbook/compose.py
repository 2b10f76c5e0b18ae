"""What one incident gets: containment proposals, checklist steps, first-hour windows.

Decides order and selection, purely from the playbook's data. Leaves to the cases what is stored and shown of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from bot.incident.words import ActionKind, Phase, ScopeKind, Severity, SubjectKind
from bot.playbook.action import Changes, PlanEntry, Proposal
from bot.playbook.checklist import Step, StepSpec, When
from bot.playbook.first_hour import Need, NeedSpec, Window

if TYPE_CHECKING:
    from bot.incident.words import Category
    from bot.playbook.playbook import Playbook

SUBJECT_SCOPE: dict[SubjectKind, ScopeKind] = {
    SubjectKind.USER: ScopeKind.USER,
    SubjectKind.SESSION: ScopeKind.SESSION,
    SubjectKind.API_KEY: ScopeKind.API_KEY,
    SubjectKind.IP: ScopeKind.IP,
    SubjectKind.DOCUMENT: ScopeKind.DOCUMENT,
    SubjectKind.CREDENTIAL: ScopeKind.CREDENTIAL,
    SubjectKind.ENDPOINT: ScopeKind.ENDPOINT,
    SubjectKind.APPLICATION: ScopeKind.APPLICATION,
}
FIRST_HOUR_MINUTES = 60
PHASES_IN_THE_ROOM = tuple(phase for phase in Phase if phase is not Phase.PREPARATION)
SCOPE_SIZE = {scope: size for size, scope in enumerate(ScopeKind)}


def proposals(
    playbook: Playbook,
    severity: Severity,
    trigger: str | None,
    *,
    subject_kind: SubjectKind,
    category: Category | None = None,
    evidence: Collection[str] = (),
    auto_contain: bool | None = None,
) -> tuple[Proposal, ...]:
    """The severity's plan, changed by trigger, category and evidence, smallest scope first.

    A plan without actions stays without: SEV-4 is watched, not contained. An entry for the subject is left out where
    the subject is unknown or of a kind the action cannot touch, and one that needs evidence where there is none of it.
    `auto_contain` is the organisation's word on this trigger; None leaves it to the trigger.
    """
    known = playbook.triggers.get(trigger) if trigger else None
    changes = [known.actions] if known else []
    if category is not None:
        changes.append(playbook.categories[category].actions)
    may_be_auto = known is not None and (known.auto_contain if auto_contain is None else auto_contain)
    offered: dict[tuple[ActionKind, ScopeKind], Proposal] = {}
    for entry in _entries(playbook.plans[playbook.severities[severity].plan].actions, changes, evidence):
        scope = _scope(playbook, entry, subject_kind)
        if scope is not None and (entry.action, scope) not in offered:
            offered[entry.action, scope] = _proposal(
                playbook, entry, scope, subject_kind=subject_kind, may_be_auto=may_be_auto
            )
    return tuple(sorted(offered.values(), key=lambda proposal: SCOPE_SIZE[proposal.scope]))


def _proposal(
    playbook: Playbook, entry: PlanEntry, scope: ScopeKind, *, subject_kind: SubjectKind, may_be_auto: bool
) -> Proposal:
    policy = playbook.actions[entry.action]
    on_subject = SUBJECT_SCOPE.get(subject_kind) is scope
    alone = policy.runs_alone and policy.reversible and on_subject and not scope.system_wide
    return Proposal(
        action=entry.action,
        scope=scope,
        why=entry.why,
        auto=playbook.policy.auto_contain and may_be_auto and alone,
        alternative_to=entry.alternative_to,
        on_subject=on_subject,
    )


def _entries(plan: tuple[PlanEntry, ...], changes: list[Changes], evidence: Collection[str]) -> Iterator[PlanEntry]:
    if not plan:
        return
    dropped = {action for change in changes for action in change.drop}
    added = (entry for change in changes for entry in change.add)
    kept = (entry for entry in plan if entry.action not in dropped and entry.alternative_to not in dropped)
    for entry in (*kept, *added):
        if entry.if_evidence is None or entry.if_evidence in evidence:
            yield entry


def _scope(playbook: Playbook, entry: PlanEntry, subject_kind: SubjectKind) -> ScopeKind | None:
    scope = SUBJECT_SCOPE.get(subject_kind) if entry.scope == "subject" else ScopeKind(entry.scope)
    return scope if scope in playbook.actions[entry.action].scopes else None


def steps(
    playbook: Playbook,
    severity: Severity,
    *,
    trigger: str | None = None,
    category: Category | None = None,
    scenario: str | None = None,
) -> tuple[Step, ...]:
    """Steps of the phases triage to review, in the order of the files, a scenario's own at the end of each phase.

    Without a category the scenario's counts, then the trigger's. Names that the playbook does not know match nothing.
    """
    course = playbook.scenarios.get(scenario) if scenario else None
    known = playbook.triggers.get(trigger) if trigger else None
    if category is None:
        category = course.category if course else known.category if known else None
    chosen: list[Step] = []
    for phase in PHASES_IN_THE_ROOM:
        for section in playbook.checklists[phase].sections:
            chosen += [
                _step(playbook, spec, severity, phase=phase, section=section.title)
                for spec in section.steps
                if all(_applies(when, severity, trigger, category, scenario) for when in (section.when, spec.when))
            ]
        if course is not None:
            chosen += [
                _step(playbook, spec, severity, phase=phase, section=course.title)
                for spec in course.steps
                if spec.phase is phase and _applies(spec.when, severity, trigger, category, scenario)
            ]
    return tuple(chosen)


def _applies(
    when: When, severity: Severity, trigger: str | None, category: Category | None, scenario: str | None
) -> bool:
    return (
        (not when.severities or severity in when.severities)
        and (not when.triggers or trigger in when.triggers)
        and (not when.categories or category in when.categories)
        and (not when.scenarios or scenario in when.scenarios)
    )


def _step(playbook: Playbook, spec: StepSpec, severity: Severity, *, phase: Phase, section: str) -> Step:
    return Step.model_construct(  # of parts that were checked when they were loaded
        id=spec.id,
        phase=phase,
        section=section,
        text=spec.text,
        hint=spec.hint,
        role=spec.role,
        due_minutes=_due(spec, playbook.first_hour.factor(severity)),
        due_from=spec.due_from,
        button=spec.button,
        action=spec.action,
    )


def _due(spec: StepSpec, factor: int | None) -> int | None:
    """Due times inside the first hour stretch as its windows do, and fall away where there are none. Later ones stand."""
    if spec.due is None or spec.due > FIRST_HOUR_MINUTES or spec.due_from == "phase":
        return spec.due
    return None if factor is None else spec.due * factor


def windows(playbook: Playbook, severity: Severity) -> tuple[Window, ...]:
    """The six windows at this severity's pace; empty where it has none."""
    factor = playbook.first_hour.factor(severity)
    if factor is None:
        return ()
    return tuple(
        Window(
            id=spec.id,
            title=spec.title,
            start_minutes=spec.start * factor,
            end_minutes=spec.end * factor,
            counts=spec.counts,
            needs=tuple(_needs(spec.needs)),
            nudge_minutes_before=spec.nudge_before * factor,
        )
        for spec in playbook.first_hour.windows
    )


def _needs(specs: Iterable[NeedSpec]) -> Iterator[Need]:
    for spec in specs:
        if spec.fact is not None:
            yield Need(kind="fact", id=spec.fact, label=spec.label, role=spec.role)
        elif spec.step is not None:
            yield Need(kind="step", id=spec.step, label=spec.label, role=spec.role)
