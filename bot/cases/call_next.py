"""Nobody has acknowledged in time: the next people in line are called, then the next, up to three rounds.

Decides who is next: the roster roles of the severity's `escalate`, then their backups, each with whoever the
organisation's file names for it. When the time is up is `first_hour`'s; the words are the card's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.cases.context import Context
from bot.cases.first_hour import reminder, respond_by
from bot.incident.columns import Json
from bot.incident.incident import SYSTEM, Incident
from bot.incident.outward import IntentKind, ReminderKind
from bot.incident.timeline import Happened
from bot.incident.words import Severity
from bot.store import Unit
from bot.store.reminders import Fired

ROUNDS = 3


@dataclass(frozen=True)
class Rung:
    """One role of the ladder and who stands behind it. Without any, the room itself is told."""

    role: str
    people: tuple[str, ...] = ()
    usergroups: tuple[str, ...] = ()


def ladder(ctx: Context, severity: Severity) -> tuple[Rung, ...]:
    """Who is called, in order. A role that nobody stands behind, or only people called before, is left out."""
    return tuple(_rungs(ctx, severity)) or (Rung(role=ctx.playbook.severities[severity].escalate[0]),)


def _rungs(ctx: Context, severity: Severity) -> Iterator[Rung]:
    first = ctx.playbook.severities[severity].escalate
    backups = [backup for role in first for backup in ctx.playbook.roster_roles[role].backup]
    called: set[str] = set()
    for role in dict.fromkeys([*first, *backups]):
        entry = ctx.org.roster.get(role)
        if entry is None:
            continue
        people = tuple(person for person in entry.people if person not in called)
        usergroups = tuple(group for group in entry.usergroups if group not in called)
        called.update(people, usergroups)
        if people or usergroups:
            yield Rung(role, people, usergroups)


async def call_next(ctx: Context, unit: Unit, incident: Incident, due: Fired) -> Json | None:
    """Invite and write to who is next, and plan the one after. Returns what the room is told; None once acknowledged."""
    if not incident.unacknowledged:
        return None
    level, rungs = int(due.args["level"]), ladder(ctx, incident.severity)
    rung = rungs[level % len(rungs)]
    told: Json = {"people": list(rung.people), "usergroups": list(rung.usergroups), "level": level}
    unit.record(incident, Happened.ESCALATED, SYSTEM, role=rung.role, **told)
    if rung.people or rung.usergroups:
        key = f"invite:{due.key}"
        await unit.intend(IntentKind.INVITE, key, incident=incident, args={"roles": [rung.role]})
    for person in rung.people:
        args: Json = {"person": person, "message": "acknowledge_overdue", **told}
        await unit.intend(IntentKind.DIRECT, f"direct:{due.key}:{person}", incident=incident, args=args)
    if level + 1 < ROUNDS * len(rungs):
        due_at = respond_by(ctx, incident, unit.now)
        args = {"level": level + 1}
        await unit.remind(reminder(incident, ReminderKind.ACKNOWLEDGE, str(level + 1), due_at=due_at, args=args))
    return {"message": "acknowledge_overdue", **told}
