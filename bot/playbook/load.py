"""The loader: all files or none. The same for the bot's start, for `firsthour lint` and for the tests.

Decides the order: read every file, then check that they agree, then build. Any problem refuses the whole playbook.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from bot.incident.words import Phase
from bot.playbook.action import ActionFile, PlanFile
from bot.playbook.announcement import AnnouncementFile
from bot.playbook.category import Atlas, CategoryFile, ChannelFile, Owasp, Scenario
from bot.playbook.check import check, check_paths
from bot.playbook.checklist import ChecklistFile, StepSpec
from bot.playbook.clock import ClockFile
from bot.playbook.first_hour import FirstHourFile
from bot.playbook.parts import Parts
from bot.playbook.playbook import Playbook
from bot.playbook.problem import PlaybookError, Problem
from bot.playbook.read import Folder, M, Part
from bot.playbook.review import MetricFile, PitfallFile, Review
from bot.playbook.roles import RoleFile
from bot.playbook.severity import SeverityFile
from bot.playbook.source import Source
from bot.playbook.trigger import Trigger

DEFAULT_PATH = Path(__file__).resolve().parents[2] / "playbooks"
SINGLE_FILES = (
    "severities.yaml",
    "actions.yaml",
    "plans.yaml",
    "roles.yaml",
    "categories.yaml",
    "channels.yaml",
    "first_hour.yaml",
    "metrics.yaml",
    "review.yaml",
    "pitfalls.yaml",
    "clocks.yaml",
    "announcements.yaml",
    "atlas.json",
    "owasp.json",
)
FOLDERS = ("triggers", "checklists", "scenarios", "sources")

K = TypeVar("K")
V = TypeVar("V")


def load(path: Path = DEFAULT_PATH) -> Playbook:
    """The playbook in the folder `path`. Raises PlaybookError naming every problem that was found."""
    if not path.is_dir():
        raise PlaybookError(
            [Problem(str(path), 1, "there is no such folder", "give the folder that holds severities.yaml")]
        )
    folder = Folder(path)
    parts = _read(folder)
    digest = folder.finish(SINGLE_FILES, FOLDERS)
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
    """None where a file that everything hangs on could not be read; its problems are in the folder."""
    severities = folder.one("severities.yaml", SeverityFile)
    actions = folder.one("actions.yaml", ActionFile)
    plans = folder.one("plans.yaml", PlanFile)
    roles = folder.one("roles.yaml", RoleFile)
    categories = folder.one("categories.yaml", CategoryFile)
    channels = folder.one("channels.yaml", ChannelFile)
    first_hour = folder.one("first_hour.yaml", FirstHourFile)
    metrics = folder.one("metrics.yaml", MetricFile)
    review = folder.one("review.yaml", Review)
    pitfalls = folder.one("pitfalls.yaml", PitfallFile)
    clocks = folder.one("clocks.yaml", ClockFile)
    announcements = folder.one("announcements.yaml", AnnouncementFile)
    atlas = folder.one("atlas.json", Atlas)
    owasp = folder.one("owasp.json", Owasp)
    triggers = folder.every("triggers", Trigger)
    checklists = sorted(folder.every("checklists", ChecklistFile), key=_phase)
    scenarios = folder.every("scenarios", Scenario)
    sources = folder.every("sources", Source)
    if not (severities and actions and plans and roles and categories and first_hour and metrics):
        return None
    if not (review and pitfalls and clocks and announcements and channels and atlas and owasp):
        return None
    return Parts(
        severities=severities,
        actions=actions,
        plans=plans,
        roles=roles,
        categories=categories,
        channels=channels,
        first_hour=first_hour,
        metrics=metrics,
        review=review,
        pitfalls=pitfalls,
        clocks=clocks,
        announcements=announcements,
        atlas=atlas,
        owasp=owasp,
        triggers=triggers,
        checklists=checklists,
        scenarios=scenarios,
        sources=sources,
    )


def _phase(part: Part[ChecklistFile]) -> int:
    return list(Phase).index(part.model.phase)


def _build(parts: Parts, digest: str) -> Playbook:
    checklists = {part.model.phase: part.model for part in parts.checklists}
    scenarios = _models(parts.scenarios)
    steps: list[StepSpec] = [
        step for phase in Phase for section in checklists[phase].sections for step in section.steps
    ]
    steps += [step for scenario in scenarios for step in scenario.steps]
    return Playbook(
        digest=digest,
        severities=_by({severity.id: severity for severity in parts.severities.model.severities}),
        triggers=_by(
            {trigger.id: trigger for trigger in sorted(_models(parts.triggers), key=attrgetter("severity", "id"))}
        ),
        actions=_by({action.id: action for action in parts.actions.model.actions}),
        plans=_by({plan.id: plan for plan in parts.plans.model.plans}),
        policy=parts.plans.model.policy,
        checklists=_by(checklists),
        all_steps=_by({step.id: step for step in steps}),
        categories=_by({category.id: category for category in parts.categories.model.categories}),
        channels=_by({channel.id: channel for channel in parts.channels.model.channels}),
        scenarios=_by({scenario.id: scenario for scenario in scenarios}),
        first_hour=parts.first_hour.model,
        metrics=_by({metric.id: metric for metric in parts.metrics.model.metrics}),
        review=parts.review.model,
        pitfalls=_by({pitfall.id: pitfall for pitfall in parts.pitfalls.model.pitfalls}),
        roster_roles=_by({role.id: role for role in parts.roles.model.roster}),
        room_roles=_by({role.id: role for role in parts.roles.model.room}),
        sources=_by({source.name: source for source in _models(parts.sources)}),
        clocks=_by({clock.id: clock for clock in parts.clocks.model.clocks}),
        clock_notice=parts.clocks.model.notice,
        announcement=parts.announcements.model.announcement,
        atlas=parts.atlas.model,
        owasp=parts.owasp.model,
    )


def _models(parts: Iterable[Part[M]]) -> tuple[M, ...]:
    return tuple(part.model for part in parts)


def _by(items: Mapping[K, V]) -> Mapping[K, V]:
    return MappingProxyType(dict(items))
