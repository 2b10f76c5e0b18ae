"""The loader: all files or none. The same for the bot's start, for `firsthour lint` and for the tests.

Decides the order: read every file, then check that they agree, then build. Any problem refuses the whole playbook.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from bot.incident.words import Phase
from bot.playbook.action import ActionFile, PlanFile
from bot.playbook.announcement import AnnouncementFile
from bot.playbook.category import Atlas, CategoryFile, ChannelFile, Owasp, Scenario
from bot.playbook.check import check, check_paths
from bot.playbook.checklist import ChecklistFile
from bot.playbook.clock import ClockFile
from bot.playbook.events import OtlpFile
from bot.playbook.first_hour import FirstHourFile
from bot.playbook.parts import Parts, all_steps
from bot.playbook.playbook import Playbook
from bot.playbook.problem import PlaybookError, Problem
from bot.playbook.read import Folder, M, Part
from bot.playbook.review import MetricFile, PitfallFile, Review
from bot.playbook.roles import RoleFile
from bot.playbook.severity import SeverityFile
from bot.playbook.source import Source
from bot.playbook.trigger import Trigger
from bot.playbook.validation import ValidationFile

DEFAULT_PATH = Path(__file__).resolve().parents[2] / "playbooks"
SINGLE_FILES: dict[str, type[BaseModel]] = {
    "severities.yaml": SeverityFile,
    "actions.yaml": ActionFile,
    "plans.yaml": PlanFile,
    "roles.yaml": RoleFile,
    "categories.yaml": CategoryFile,
    "channels.yaml": ChannelFile,
    "first_hour.yaml": FirstHourFile,
    "metrics.yaml": MetricFile,
    "review.yaml": Review,
    "pitfalls.yaml": PitfallFile,
    "clocks.yaml": ClockFile,
    "announcements.yaml": AnnouncementFile,
    "atlas.json": Atlas,
    "owasp.json": Owasp,
    "events/otlp.yaml": OtlpFile,
    "validation.yaml": ValidationFile,
}
FOLDERS: dict[str, type[BaseModel]] = {
    "triggers": Trigger,
    "checklists": ChecklistFile,
    "scenarios": Scenario,
    "sources": Source,
}


def load(path: Path = DEFAULT_PATH) -> Playbook:
    """The playbook in the folder `path`. Raises PlaybookError naming every problem that was found."""
    if not path.is_dir():
        raise PlaybookError(
            [Problem(str(path), 1, "there is no such folder", "give the folder that holds severities.yaml")]
        )
    folder = Folder(path)
    parts = _read(folder)
    digest = folder.finish(tuple(SINGLE_FILES), tuple(FOLDERS))
    if folder.problems or parts is None:
        raise PlaybookError(folder.problems)
    problems = check(parts)
    if problems:
        raise PlaybookError(problems)
    playbook = _build(parts, digest)
    problems = check_paths(playbook, parts.pitfalls)
    if problems:
        raise PlaybookError(problems)
    return playbook


def _read(folder: Folder) -> Parts | None:
    """None where any single file could not be read; its problems are in the folder."""
    single = {Path(name).stem: folder.one(name, model) for name, model in SINGLE_FILES.items()}
    many = {name: folder.every(name, model) for name, model in FOLDERS.items()}
    if not all(single.values()):
        return None
    fields: dict[str, Any] = {**single, **many}  # each name in the tables above is a field of Parts
    parts = Parts(**fields)
    parts.checklists.sort(key=_phase)
    return parts


def _phase(part: Part[ChecklistFile]) -> int:
    return list(Phase).index(part.model.phase)


def _build(parts: Parts, digest: str) -> Playbook:
    clocks = parts.clocks.model
    return Playbook(
        digest=digest,
        severities=_by_id(parts.severities.model.severities),
        triggers=_by_id(sorted(_models(parts.triggers), key=attrgetter("severity", "id"))),
        actions=_by_id(parts.actions.model.actions),
        plans=_by_id(parts.plans.model.plans),
        policy=parts.plans.model.policy,
        checklists=_by_id(_models(parts.checklists), name="phase"),
        all_steps=_by_id(step for _, _, step, _ in all_steps(parts)),
        categories=_by_id(parts.categories.model.categories),
        channels=_by_id(parts.channels.model.channels),
        scenarios=_by_id(_models(parts.scenarios)),
        first_hour=parts.first_hour.model,
        metrics=_by_id(parts.metrics.model.metrics),
        review=parts.review.model,
        pitfalls=_by_id(parts.pitfalls.model.pitfalls),
        roster_roles=_by_id(parts.roles.model.roster),
        room_roles=_by_id(parts.roles.model.room),
        sources=_by_id(_models(parts.sources), name="name"),
        clocks=_by_id(clocks.clocks),
        clock_notice=clocks.notice,
        announcement=parts.announcements.model.announcement,
        atlas=parts.atlas.model,
        owasp=parts.owasp.model,
        otlp=parts.otlp.model.names,
        validation=parts.validation.model,
    )


def _models(parts: Iterable[Part[M]]) -> tuple[M, ...]:
    return tuple(part.model for part in parts)


def _by_id(items: Iterable[M], *, name: str = "id") -> Mapping[Any, M]:
    return MappingProxyType({getattr(item, name): item for item in items})
