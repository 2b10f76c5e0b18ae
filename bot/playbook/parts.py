"""All files of a playbook, read and well formed each on its own, and the ways in which checks walk over them.

Decides how a name is looked up and how a second use of an id is told. Leaves what must be known or unique to the checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from bot.incident.words import Role
from bot.playbook.action import ActionFile, PlanFile
from bot.playbook.announcement import AnnouncementFile
from bot.playbook.category import Atlas, CategoryFile, ChannelFile, Owasp, Scenario
from bot.playbook.checklist import ChecklistFile, StepSpec, When
from bot.playbook.clock import ClockFile
from bot.playbook.events import OtlpFile
from bot.playbook.first_hour import FirstHourFile
from bot.playbook.problem import Problem, did_you_mean
from bot.playbook.read import Part
from bot.playbook.review import MetricFile, PitfallFile, Review
from bot.playbook.roles import RoleFile
from bot.playbook.severity import SeverityFile
from bot.playbook.source import Source
from bot.playbook.trigger import Trigger
from bot.playbook.validation import ValidationFile
from bot.playbook.yaml_lines import Document, Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """All files, read and well formed each on its own."""

    severities: Part[SeverityFile]
    actions: Part[ActionFile]
    plans: Part[PlanFile]
    roles: Part[RoleFile]
    categories: Part[CategoryFile]
    channels: Part[ChannelFile]
    first_hour: Part[FirstHourFile]
    metrics: Part[MetricFile]
    review: Part[Review]
    pitfalls: Part[PitfallFile]
    clocks: Part[ClockFile]
    announcements: Part[AnnouncementFile]
    atlas: Part[Atlas]
    owasp: Part[Owasp]
    otlp: Part[OtlpFile]
    validation: Part[ValidationFile]
    triggers: list[Part[Trigger]]
    checklists: list[Part[ChecklistFile]]
    scenarios: list[Part[Scenario]]
    sources: list[Part[Source]]


StepAt = tuple[Document, Path, StepSpec, tuple[When, ...]]


def all_steps(parts: Parts) -> Iterator[StepAt]:
    for part in parts.checklists:
        for place, section in enumerate(part.model.sections):
            for index, step in enumerate(section.steps):
                yield part.document, ("sections", place, "steps", index), step, (section.when, step.when)
    for scenario in parts.scenarios:
        for index, step in enumerate(scenario.model.steps):
            yield scenario.document, ("steps", index), step, (step.when,)


def roster(parts: Parts) -> list[str]:
    return [role.id for role in parts.roles.model.roster]


def anyone(parts: Parts) -> list[str]:
    return [*(role.value for role in Role), *roster(parts)]


def undeclared(
    document: Document, path: Path, names: Iterable[object], known: Iterable[object], kind: str
) -> Iterator[Problem]:
    """Names at `path` (a list, or one value) that are not among the known ones."""
    words = {_word(item) for item in known}
    for index, name in enumerate(names):
        if _word(name) not in words:
            fix = did_you_mean(_word(name), words, f"declare the {kind} first")
            yield document.problem((*path, index), f"unknown {kind} “{_word(name)}”", fix)


def _word(item: object) -> str:
    return str(item.value) if isinstance(item, Enum) else str(item)


def twice(named: Iterable[tuple[Document, Path, str]]) -> Iterator[Problem]:
    first: dict[str, tuple[Document, Path]] = {}
    for document, path, name in named:
        if name in first:
            other, where = first[name]
            yield document.problem(
                path,
                f"the id “{name}” is already used at {other.file}:{other.line(where)}",
                "give one of them another id",
            )
        first.setdefault(name, (document, path))
