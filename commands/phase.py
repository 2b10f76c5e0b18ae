"""`/incident phase remediation`: begin a phase before the one before it is done. Its checklist is posted."""

from __future__ import annotations

from bot.cases.context import Context
from bot.cases.phases import start
from bot.incident.errors import Invalid
from bot.incident.words import Phase
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature
from commands.room import Verb, number


class Begin(Verb):
    phase: Phase


async def run(ctx: Context, asked: Asked, form: Begin) -> str:
    return await start(ctx, asked.caller, await number(ctx, asked, form.incident), phase=form.phase)


async def click(ctx: Context, asked: Asked) -> str:
    if asked.value not in set(Phase):
        raise Invalid("This button names no phase.", example="/incident phase remediation")
    return await run(ctx, asked, Begin(phase=Phase(asked.value)))


FEATURE: Feature[Context] = Feature(
    verb="phase",
    summary="Begin a phase early: containment, investigation or remediation.",
    model=Begin,
    examples=("/incident phase remediation", "/incident phase investigation --incident INC-12"),
    run=run,
    positional=("phase",),
    buttons={Button.PHASE: click},
)
