"""`/incident step done`: this step is done."""

from __future__ import annotations

from pydantic import Field

from bot.cases import steps
from bot.cases.context import Context
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature
from commands.room import Verb, number


class Done(Verb):
    step: str = Field(min_length=1, max_length=120)


async def run(ctx: Context, asked: Asked, form: Done) -> str:
    return await steps.done(ctx, asked.caller, await number(ctx, asked, form.incident), step_id=form.step)


async def click(ctx: Context, asked: Asked) -> str:
    return await run(ctx, asked, Done(step=asked.value.partition("|")[0]))


FEATURE: Feature[Context] = Feature(
    verb="step done",
    summary="Tick a step.",
    model=Done,
    examples=("/incident step done triage.scope",),
    run=run,
    positional=("step",),
    buttons={Button.STEP_DONE: click},
)
