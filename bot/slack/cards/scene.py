"""What every card and message of one incident asks: who holds what, which window runs, what falls due next. Pure.

Decides how facts are named for people. Which of them a surface shows is the surface's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.incident.casefile import CaseFile
from bot.incident.incident import Incident
from bot.incident.words import ActionState, Role, Severity, StepState, SubjectKind
from bot.incident.work import Step
from bot.playbook import Playbook
from bot.playbook.first_hour import Need, Window
from bot.slack.text import Md, code, md, safe, when, who

MARKS = {Severity.SEV1: "🔴", Severity.SEV2: "🟠", Severity.SEV3: "🟡", Severity.SEV4: "🔵"}
SCOPE_CHARS = 120


@dataclass(frozen=True)
class Deadline:
    at: datetime
    what: Md


@dataclass(frozen=True)
class Scene:
    file: CaseFile
    playbook: Playbook
    part: str = ""
    speed: float = 1.0
    """How much faster than the wall the first hour runs (demos)."""

    @property
    def incident(self) -> Incident:
        return self.file.incident

    @property
    def ended(self) -> bool:
        return self.incident.ended_at is not None

    @property
    def name(self) -> str:
        """`INC-12`, and `Drill INC-12` where it is one: nobody may take a drill for the real thing."""
        return f"Drill {self.incident.name}" if self.incident.drill else self.incident.name

    @property
    def severity(self) -> str:
        """`SEV-1 Critical`"""
        return f"{self.incident.severity.label} {self.playbook.severities[self.incident.severity].label}"

    @property
    def status(self) -> str:
        return self.incident.status.replace("_", " ")

    @property
    def trigger(self) -> str | None:
        known = self.playbook.triggers.get(self.incident.trigger or "")
        return known.title if known else self.incident.trigger

    @property
    def subject(self) -> Md:
        return self.subject_of(self.incident.subject_kind, self.incident.subject_id)

    def subject_of(self, kind: SubjectKind, subject_id: str | None) -> Md:
        if subject_id is None:
            return Md("not known")
        return md("{} {}", kind.replace("_", " "), code(subject_id, SCOPE_CHARS))

    def role_title(self, role: str) -> str:
        """A role of the room or of the roster, as the playbook names it."""
        in_room = next((one.title for one in self.playbook.room_roles.values() if one.id.value == role), None)
        on_roster = self.playbook.roster_roles.get(role)
        return in_room or (on_roster.title if on_roster else role.replace("_", " "))

    def holder(self, role: str) -> str | None:
        """Who holds a role of the room; None for roles of the roster."""
        return self.file.holders.get(Role(role)) if role in {one.value for one in Role} else None

    def in_charge(self, role: str, owner: str | None = None) -> Md:
        """Whoever must act: the owner, else the holder of the role, else the role by its title."""
        person = owner or self.holder(role)
        return who(person) if person else safe(self.role_title(role))

    # The first hour

    @property
    def minute(self) -> int:
        """Whole minutes of the first hour since the declaration."""
        return max(0, int((self.file.now - self.incident.declared_at).total_seconds() * self.speed // 60))

    @property
    def windows(self) -> tuple[Window, ...]:
        return self.playbook.windows(self.incident.severity)

    def window(self, window_id: str) -> Window | None:
        return next((window for window in self.windows if window.id == window_id), None)

    @property
    def running(self) -> Window | None:
        return next((one for one in self.windows if one.start_minutes <= self.minute < one.end_minutes), None)

    def at_minute(self, minutes: float) -> datetime:
        return self.incident.declared_at + timedelta(minutes=minutes / self.speed)

    def missing(self, window: Window) -> list[Need]:
        """What the window still needs. A step that this incident does not have is not missing."""
        return [need for need in window.needs if not self._met(need)]

    def _met(self, need: Need) -> bool:
        return self.file.fact(need.id) if need.kind == "fact" else not self.open_steps(need)

    def open_steps(self, need: Need) -> list[Step]:
        """The step that is needed, or those below it: `evidence.logs` stands for `evidence.logs.gateway` too."""
        exact = self.file.step(need.id)
        steps = [exact] if exact else [one for one in self.file.steps if one.step_id.startswith(f"{need.id}.")]
        return [step for step in steps if step.state is StepState.OPEN]

    # What falls due

    @property
    def next_update(self) -> datetime | None:
        """When stakeholders should hear again; None where the severity has no cadence or the incident has ended."""
        every = self.playbook.severities[self.incident.severity].update_every_minutes
        if every is None or self.ended:
            return None
        last = self.file.updates[-1].at if self.file.updates else self.incident.declared_at
        return last + timedelta(minutes=every / self.speed)

    @property
    def next_deadline(self) -> Deadline | None:
        return min(self._deadlines(), key=lambda deadline: deadline.at, default=None)

    @property
    def deadlines(self) -> list[Deadline]:
        """All of them, the next first."""
        return sorted(self._deadlines(), key=lambda deadline: deadline.at)

    def _deadlines(self) -> Iterator[Deadline]:
        if self.ended:
            return
        if self.incident.unacknowledged and self.incident.acknowledge_by is not None:
            yield Deadline(self.incident.acknowledge_by, Md("acknowledge"))
        if self.next_update is not None:
            yield Deadline(self.next_update, Md("update stakeholders"))
        for step in self.file.open_steps:
            if step.due_at is not None:
                yield Deadline(step.due_at, safe(step.text.rstrip("."), 120))
        for action in self.file.actions:
            if action.state is ActionState.PROPOSED and action.expires_at is not None:
                yield Deadline(action.expires_at, md("decide about action {}", action.index))

    def due(self, at: datetime) -> Md:
        """`by 14:05`, or that it is overdue: a time that has passed is never shown as if it were ahead."""
        far = at - self.file.now > timedelta(hours=12)  # a bare time of day would be read as today's
        return (
            md("by {}", when(at, "both" if far else "time"))
            if at > self.file.now
            else md("*overdue* since {}", when(at))
        )
