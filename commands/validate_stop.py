"""`/incident validate stop`: end a replay that goes on. What it learnt is kept, and it can be resumed."""

from __future__ import annotations

from pydantic import Field

from bot.cases import validation_control
from bot.cases.context import Context
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature
from commands.room import Verb, number


class Stop(Verb):
    reason: str | None = Field(default=None, max_length=1000)


async def run(ctx: Context, asked: Asked, form: Stop) -> str:
    which = await number(ctx, asked, form.incident)
    return await validation_control.stop(ctx, asked.caller, which, reason=form.reason)


async def click(ctx: Context, asked: Asked) -> str:
    return await run(ctx, asked, Stop())


FEATURE: Feature[Context] = Feature(
    verb="validate stop",
    summary="Stop the replay that goes on.",
    model=Stop,
    examples=("/incident validate stop the target is needed for a demo",),
    run=run,
    positional=("reason",),
    buttons={Button.VALIDATION_STOP: click},
)
