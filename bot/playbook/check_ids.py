"""Is everything there, and once? The fixed vocabulary is described completely, and no id is used twice.

Leaves to `check` whether the names that files use of each other exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum

from bot.incident.words import ActionKind, Category, Phase, Role, Severity
from bot.playbook.parts import Parts, all_steps, twice
from bot.playbook.problem import Problem
from bot.playbook.yaml_lines import Document


def complete(parts: Parts) -> Iterator[Problem]:
    """Each word of the fixed vocabulary is described once."""
    yield from _all_of(
        Severity, parts.severities.document, "severities", [s.id for s in parts.severities.model.severities]
    )
    yield from _all_of(ActionKind, parts.actions.document, "actions", [a.id for a in parts.actions.model.actions])
    yield from _all_of(
        Category, parts.categories.document, "categories", [c.id for c in parts.categories.model.categories]
    )
    yield from _all_of(Role, parts.roles.document, "room", [role.id for role in parts.roles.model.room])
    present = {part.model.phase for part in parts.checklists}
    for phase in Phase:
        if phase not in present:
            yield Problem(f"checklists/{phase}.yaml", 1, f"the phase `{phase}` has no checklist", "restore the file")


def _all_of(words: type[Enum], document: Document, key: str, given: Iterable[Enum]) -> Iterator[Problem]:
    missing = [str(word.value) for word in words if word not in set(given)]
    if missing:
        yield document.problem((key,), f"`{key}` lacks {', '.join(missing)}", "describe each of them once")


def unique(parts: Parts) -> Iterator[Problem]:
    """No id is used twice, within a kind and over all files."""
    for document, key, ids in _id_lists(parts):
        yield from twice((document, (key, index, "id"), str(name)) for index, name in enumerate(ids))
    yield from twice((part.document, ("phase",), part.model.phase.value) for part in parts.checklists)
    yield from twice((part.document, ("id",), part.model.id) for part in parts.triggers)
    yield from twice((part.document, ("id",), part.model.id) for part in parts.scenarios)
    yield from twice((part.document, ("name",), part.model.name) for part in parts.sources)
    yield from twice((document, (*path, "id"), step.id) for document, path, step, _ in all_steps(parts))


def _id_lists(parts: Parts) -> Iterator[tuple[Document, str, list[object]]]:
    review = parts.review.model
    yield parts.severities.document, "severities", [item.id for item in parts.severities.model.severities]
    yield parts.actions.document, "actions", [item.id for item in parts.actions.model.actions]
    yield parts.plans.document, "plans", [item.id for item in parts.plans.model.plans]
    yield parts.roles.document, "roster", [item.id for item in parts.roles.model.roster]
    yield parts.roles.document, "room", [item.id for item in parts.roles.model.room]
    yield parts.categories.document, "categories", [item.id for item in parts.categories.model.categories]
    yield parts.channels.document, "channels", [item.id for item in parts.channels.model.channels]
    yield parts.first_hour.document, "windows", [item.id for item in parts.first_hour.model.windows]
    yield parts.metrics.document, "metrics", [item.id for item in parts.metrics.model.metrics]
    yield parts.pitfalls.document, "pitfalls", [item.id for item in parts.pitfalls.model.pitfalls]
    yield parts.clocks.document, "clocks", [item.id for item in parts.clocks.model.clocks]
    yield parts.review.document, "summary", [item.id for item in review.summary]
    yield parts.review.document, "timeline", [item.id for item in review.timeline]
    yield parts.review.document, "sections", [item.id for item in review.sections]
    yield parts.review.document, "questions", [item.id for item in review.questions]
    yield parts.review.document, "action_items", [item.id for item in review.action_items]
