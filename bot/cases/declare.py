"""A person declares an incident: from the modal, from `/incident declare`, from a drill."""

from __future__ import annotations

import difflib
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bot.cases.context import Context
from bot.cases.opening import open_incident
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.errors import Invalid
from bot.incident.incident import Incident
from bot.incident.redact import clip, redact
from bot.incident.words import Category, DetectionMethod, Severity, SubjectKind


class Declaration(BaseModel):
    """What a person says when declaring. Slash text and modal fill this same model."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    severity: Severity
    title: str = Field(min_length=2, max_length=3000)
    trigger: str | None = None
    category: Category | None = None
    scenario: str | None = None
    subject_kind: SubjectKind = SubjectKind.UNKNOWN
    subject_id: str | None = Field(default=None, max_length=300)
    app: str | None = Field(default=None, max_length=120)
    summary: str | None = Field(default=None, max_length=3000)
    started_at: datetime | None = None
    drill: bool = False

    @field_validator("severity", mode="before")
    @classmethod
    def _spelled_freely(cls, value: object) -> object:
        return Severity.parse(value) if isinstance(value, str) else value


async def declare(ctx: Context, caller: Caller, declaration: Declaration) -> str:
    """Open an incident and its room. Raises Refused for a guest, Invalid for a trigger or scenario that is not there."""
    user = member(caller)
    known_trigger(ctx, declaration.trigger)
    if declaration.scenario is not None and declaration.scenario not in ctx.playbook.scenarios:
        raise Invalid(f"There is no such scenario. The playbook has: {', '.join(sorted(ctx.playbook.scenarios))}.")
    trigger = ctx.playbook.triggers.get(declaration.trigger or "")
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = Incident(
            number=await unit.next_number(),
            title=clip(redact(declaration.title), 300),
            summary=clip(redact(declaration.summary), 3000) if declaration.summary else None,
            severity=declaration.severity,
            trigger=declaration.trigger,
            category=declaration.category or (trigger.category if trigger else None),
            scenario=declaration.scenario,
            subject_kind=declaration.subject_kind if declaration.subject_id else SubjectKind.UNKNOWN,
            subject_id=declaration.subject_id,
            app=declaration.app,
            detection=DetectionMethod.DRILL if declaration.drill else DetectionMethod.USER_REPORT,
            drill=declaration.drill,
            declared_by=user,
            playbook_digest=ctx.playbook.digest,
            started_at=declaration.started_at,
            detected_at=unit.now,
            declared_at=unit.now,
            severity_confirmed_at=unit.now,
        )
        await open_incident(ctx, unit, incident, caller.actor, source="slack")
        return unit.answer(
            f"{incident.name} is declared as {incident.severity.label}. Its room is opening, you are invited."
        )


def known_trigger(ctx: Context, trigger: str | None) -> None:
    """Raises Invalid with the nearest name where the playbook has no such trigger."""
    if trigger is None or trigger in ctx.playbook.triggers:
        return
    near = difflib.get_close_matches(trigger[:80], ctx.playbook.triggers, n=1)
    hint = f"Did you mean `{near[0]}`?" if near else f"The playbook has: {', '.join(sorted(ctx.playbook.triggers))}."
    raise Invalid(f"There is no such trigger. {hint}", field="trigger")
