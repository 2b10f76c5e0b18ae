"""`/incident contain revert`: take a containment action back."""

from __future__ import annotations

from pydantic import Field

from bot.cases.context import Context
from bot.cases.revert import ask_revert
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature
from commands.room import Verb, number


class Revert(Verb):
    index: int = Field(ge=1, le=9_999, title="number of the action")


async def run(ctx: Context, asked: Asked, form: Revert) -> str:
    return await ask_revert(ctx, asked.caller, await number(ctx, asked, form.incident), index=form.index)


async def click(ctx: Context, asked: Asked) -> str:
    return await run(ctx, asked, Revert(index=int(asked.value.partition("|")[0])))


FEATURE: Feature[Context] = Feature(
    verb="contain revert",
    summary="Revert an action that is in force.",
    model=Revert,
    examples=("/incident contain revert 3",),
    run=run,
    positional=("index",),
    buttons={Button.REVERT: click},
)
