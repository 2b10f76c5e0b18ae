"""A run of a validation as it is written down: with its message in the room, and what the room is told at its end.

Decides what a severity asks for. Who may start one is `validation`'s, or the calendar's (`regression`).
"""

from __future__ import annotations

from bot.cases.context import Context
from bot.cases.hushed import hush
from bot.incident.columns import Json
from bot.incident.incident import Incident
from bot.incident.outward import IntentKind, SurfaceKind
from bot.incident.redact import clip, redact
from bot.incident.validation import ValidationRun
from bot.incident.words import Severity
from bot.store import Unit
from bot.validation.pack import Pack
from bot.validation.plan import Plan

EXCERPTS, EXCERPT_CHARS = 200, 80


def planned(ctx: Context, severity: Severity) -> Plan:
    """As many trials as the severity asks for, within the playbook's budget."""
    policy = ctx.playbook.severities[severity]
    return Plan(trials=policy.validation_trials, most_calls=ctx.playbook.validation.most_calls)


def excerpts(pack: Pack) -> Json:
    """By payload, what may be shown of it: the beginning, redacted. Of some, as the report lists no more."""
    shown = pack.payloads[:EXCERPTS]
    return {one.id: clip(redact(" ".join(one.turns)), EXCERPT_CHARS) for one in shown}


async def queue(ctx: Context, unit: Unit, incident: Incident, run: ValidationRun) -> None:
    """Store it, with the message in the room that shows how far it is."""
    unit.add(run)
    await unit.flush()
    await hush(ctx, unit, run)
    await unit.show(incident, SurfaceKind.VALIDATION, str(run.id))
    unit.wakes = True


async def tell(unit: Unit, incident: Incident, run: ValidationRun) -> None:
    """Say in the room what it came to."""
    args: Json = {"message": "validated", "run": run.id}
    await unit.intend(IntentKind.POST, f"post:validated:{run.id}", incident=incident, args=args)
