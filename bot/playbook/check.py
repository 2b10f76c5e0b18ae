"""Do the files agree with each other? Every name that one file uses must be declared in another.

Decides which names are checked and says what to write instead. Leaves each file's own shape to its model, ids to
`check_ids`, regular expressions to `check_patterns`, and whether an example tells the truth to `check_examples`.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.incident.words import ActionKind, ScopeKind, Severity
from bot.playbook.action import Changes, PlanEntry
from bot.playbook.check_examples import examples_are_true
from bot.playbook.check_ids import complete, unique
from bot.playbook.check_patterns import patterns_run
from bot.playbook.locate import Nowhere, locate
from bot.playbook.parts import Parts, all_steps, anyone, roster, twice, undeclared
from bot.playbook.playbook import Playbook
from bot.playbook.problem import Problem, did_you_mean
from bot.playbook.read import Part
from bot.playbook.review import PitfallFile
from bot.playbook.yaml_lines import Document, Path


def check(parts: Parts) -> list[Problem]:
    """Every disagreement between the files; empty where there is none."""
    return [
        *complete(parts),
        *unique(parts),
        *_severities(parts),
        *_roles(parts),
        *_plans(parts),
        *_steps(parts),
        *_windows(parts),
        *_tags(parts),
        *patterns_run(parts),
        *examples_are_true(parts),
        *_rules(parts),
        *_sources(parts),
        *_clocks(parts),
    ]


def check_paths(playbook: Playbook, pitfalls: Part[PitfallFile]) -> list[Problem]:
    """Every pitfall is answered by something that exists."""
    problems = []
    for index, pitfall in enumerate(pitfalls.model.pitfalls):
        for place, path in enumerate(pitfall.answered_by):
            try:
                locate(playbook, path)
            except Nowhere as nowhere:
                what = f"“{path}” leads nowhere: there is no “{nowhere.part}”"
                fix = did_you_mean(nowhere.part, nowhere.known, "name something that exists")
                problems.append(pitfalls.document.problem(("pitfalls", index, "answered_by", place), what, fix))
    return problems


def _severities(parts: Parts) -> Iterator[Problem]:
    document = parts.severities.document
    plans = [plan.id for plan in parts.plans.model.plans]
    for index, severity in enumerate(parts.severities.model.severities):
        path = ("severities", index)
        yield from undeclared(document, (*path, "notify"), severity.notify, roster(parts), "roster role")
        yield from undeclared(document, (*path, "escalate"), severity.escalate, roster(parts), "roster role")
        yield from undeclared(document, (*path, "plan"), [severity.plan], plans, "plan")


def _roles(parts: Parts) -> Iterator[Problem]:
    document = parts.roles.document
    for index, role in enumerate(parts.roles.model.roster):
        others = [other for other in roster(parts) if other != role.id]
        yield from undeclared(
            document, ("roster", index, "backup"), role.backup, others, "roster role (other than itself)"
        )
    for index, part in enumerate(parts.roles.model.room):
        yield from undeclared(document, ("room", index, "backup"), part.backup, roster(parts), "roster role")
    for index, action in enumerate(parts.actions.model.actions):
        yield from undeclared(
            parts.actions.document, ("actions", index, "approvers"), action.approvers, anyone(parts), "role"
        )
        for place, at in enumerate(action.approvers_at):
            path = ("actions", index, "approvers_at", place, "roles")
            yield from undeclared(parts.actions.document, path, at.roles, anyone(parts), "role")
    second = parts.plans.model.policy.second_person.roles
    yield from undeclared(parts.plans.document, ("policy", "second_person", "roles"), second, anyone(parts), "role")
    for index, item in enumerate(parts.review.model.action_items):
        yield from undeclared(
            parts.review.document, ("action_items", index, "role"), [item.role], anyone(parts), "role"
        )
    for index, row in enumerate(parts.review.model.timeline):
        actors = ["automated", *anyone(parts)]
        yield from undeclared(parts.review.document, ("timeline", index, "actor"), [row.actor], actors, "role")


def _plans(parts: Parts) -> Iterator[Problem]:
    plans = {plan.id: plan for plan in parts.plans.model.plans}
    for index, plan in enumerate(parts.plans.model.plans):
        within = {entry.action for entry in plan.actions}
        yield from _entries(parts, parts.plans.document, ("plans", index, "actions"), plan.actions, within)
    everything = {entry.action for plan in plans.values() for entry in plan.actions}
    for trigger in parts.triggers:
        yield from _changes(parts, trigger.document, ("actions",), trigger.model.actions, everything)
    for index, category in enumerate(parts.categories.model.categories):
        path = ("categories", index, "actions")
        yield from _changes(parts, parts.categories.document, path, category.actions, everything)


def _changes(
    parts: Parts, document: Document, path: Path, changes: Changes, planned: set[ActionKind]
) -> Iterator[Problem]:
    yield from undeclared(document, (*path, "drop"), changes.drop, planned, "action in any plan")
    added = {entry.action for entry in changes.add}
    yield from _entries(parts, document, (*path, "add"), changes.add, planned | added)


def _entries(
    parts: Parts, document: Document, path: Path, entries: tuple[PlanEntry, ...], beside: set[ActionKind]
) -> Iterator[Problem]:
    allowed = {action.id: action.scopes for action in parts.actions.model.actions}
    for index, entry in enumerate(entries):
        scopes = allowed.get(entry.action, tuple(ScopeKind))
        if entry.scope != "subject":
            here = (*path, index, "scope")
            yield from undeclared(document, here, [entry.scope], scopes, f"scope of {entry.action}")
        if entry.alternative_to is not None:
            here = (*path, index, "alternative_to")
            yield from undeclared(
                document, here, [entry.alternative_to], beside - {entry.action}, "action beside this one"
            )


def _steps(parts: Parts) -> Iterator[Problem]:
    triggers = [part.model.id for part in parts.triggers]
    scenarios = [part.model.id for part in parts.scenarios]
    for document, path, step, whens in all_steps(parts):
        yield from undeclared(document, (*path, "role"), [step.role], anyone(parts), "role")
        for when in whens[-1:]:
            yield from undeclared(document, (*path, "when", "triggers"), when.triggers, triggers, "trigger")
            yield from undeclared(document, (*path, "when", "scenarios"), when.scenarios, scenarios, "scenario")
    for part in parts.checklists:
        for index, section in enumerate(part.model.sections):
            path = ("sections", index, "when")
            yield from undeclared(part.document, (*path, "triggers"), section.when.triggers, triggers, "trigger")
            yield from undeclared(part.document, (*path, "scenarios"), section.when.scenarios, scenarios, "scenario")


def _windows(parts: Parts) -> Iterator[Problem]:
    """A needed step must be on every checklist that its window belongs to: otherwise it could never be done."""
    first_hour = parts.first_hour
    paced = {pace.severity for pace in first_hour.model.pace}
    steps = {step.id: whens for _, _, step, whens in all_steps(parts)}
    for index, window in enumerate(first_hour.model.windows):
        for place, need in enumerate(window.needs):
            path = ("windows", index, "needs", place)
            yield from undeclared(first_hour.document, (*path, "role"), [need.role], anyone(parts), "role")
            if need.step is None:
                continue
            yield from undeclared(first_hour.document, (*path, "step"), [need.step], steps, "step")
            for when in steps.get(need.step, ()):
                if when.triggers or when.categories or when.scenarios or not _covers(when.severities, paced):
                    what = f"the step “{need.step}” is not on every checklist of this window"
                    fix = f"remove the `when` of “{need.step}”, or need another step"
                    yield first_hour.document.problem((*path, "step"), what, fix)
    yield from twice(
        (first_hour.document, ("pace", i, "severity"), p.severity.label) for i, p in enumerate(first_hour.model.pace)
    )


def _covers(severities: tuple[Severity, ...], paced: set[Severity]) -> bool:
    return not severities or paced <= set(severities)


def _tags(parts: Parts) -> Iterator[Problem]:
    techniques, risks = parts.atlas.model.techniques, parts.owasp.model.risks
    for trigger in parts.triggers:
        yield from undeclared(trigger.document, ("atlas",), trigger.model.atlas, techniques, "ATLAS technique")
        yield from undeclared(trigger.document, ("owasp",), trigger.model.owasp, risks, "OWASP risk")
    for index, category in enumerate(parts.categories.model.categories):
        here = ("categories", index)
        yield from undeclared(
            parts.categories.document, (*here, "atlas"), category.atlas, techniques, "ATLAS technique"
        )
        yield from undeclared(parts.categories.document, (*here, "owasp"), category.owasp, risks, "OWASP risk")
    for index, action in enumerate(parts.actions.model.actions):
        path = ("actions", index, "mitigations")
        known = parts.atlas.model.mitigations
        yield from undeclared(parts.actions.document, path, action.mitigations, known, "ATLAS mitigation")


def _rules(parts: Parts) -> Iterator[Problem]:
    triggers = {part.model.id for part in parts.triggers}
    for part in parts.triggers:
        named = getattr(part.model.rule, "up_to_ratio", None)
        yield from undeclared(part.document, ("rule", "up_to_ratio"), [named] if named else (), triggers, "trigger")


def _sources(parts: Parts) -> Iterator[Problem]:
    triggers = {part.model.id for part in parts.triggers}
    for part in parts.sources:
        for name, trigger in part.model.triggers.items():
            yield from undeclared(part.document, ("triggers", name), [trigger], triggers, "trigger")


def _clocks(parts: Parts) -> Iterator[Problem]:
    document = parts.clocks.document
    for index, clock in enumerate(parts.clocks.model.clocks):
        before: list[str] = []
        for place, step in enumerate(clock.steps):
            path = ("clocks", index, "steps", place)
            if step.after is not None:
                yield from undeclared(document, (*path, "after"), [step.after], before, "earlier step of this clock")
            before.append(step.id)
        yield from twice((document, ("clocks", index, "steps", i, "id"), s.id) for i, s in enumerate(clock.steps))
