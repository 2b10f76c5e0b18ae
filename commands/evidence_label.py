"""`/incident evidence label`: say what kind a piece is. Only adversarial input is replayed against a fix."""

from __future__ import annotations

from pydantic import Field

from bot.cases import attach
from bot.cases.context import Context
from bot.incident.words import EvidenceKind
from bot.slack.feature import Asked, Feature
from commands.room import Verb, number


class Label(Verb):
    evidence: int = Field(ge=1, le=2_000_000_000, title="number of the piece")
    kind: EvidenceKind


async def run(ctx: Context, asked: Asked, form: Label) -> str:
    which = await number(ctx, asked, form.incident)
    return await attach.label(ctx, asked.caller, which, form.evidence, form.kind)


FEATURE: Feature[Context] = Feature(
    verb="evidence label",
    summary="Say what kind a piece of evidence is.",
    model=Label,
    examples=("/incident evidence label 3 adversarial_input",),
    run=run,
    positional=("evidence", "kind"),
)
