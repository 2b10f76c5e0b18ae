"""`/incident step undo`: a step that was done or skipped is open again."""

from __future__ import annotations

from pydantic import Field

from bot.cases import steps
from bot.cases.context import Context
from bot.slack.feature import Asked, Feature
from commands.room import Verb, number


class Undo(Verb):
    step: str = Field(min_length=1, max_length=120)


async def run(ctx: Context, asked: Asked, form: Undo) -> str:
    return await steps.undo(ctx, asked.caller, await number(ctx, asked, form.incident), step_id=form.step)


FEATURE: Feature[Context] = Feature(
    verb="step undo",
    summary="Open a step again.",
    model=Undo,
    examples=("/incident step undo triage.scope",),
    run=run,
    positional=("step",),
)
