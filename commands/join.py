"""`/incident join`: invite me to the room."""

from __future__ import annotations

from bot.cases import join
from bot.cases.context import Context
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature
from commands.room import Verb, number


class Join(Verb):
    pass


async def run(ctx: Context, asked: Asked, form: Join) -> str:
    return await join.join(ctx, asked.caller, await number(ctx, asked, form.incident))


async def click(ctx: Context, asked: Asked) -> str:
    return await run(ctx, asked, Join())


FEATURE: Feature[Context] = Feature(
    verb="join",
    summary="Be invited to the room of an incident.",
    model=Join,
    examples=("/incident join INC-12",),
    run=run,
    positional=("incident",),
    buttons={Button.JOIN: click},
)
