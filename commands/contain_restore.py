"""`/incident contain restore`: what is in force, the latest first, with Revert and Keep for each. Inside the room only."""

from __future__ import annotations

from bot.cases.context import Context
from bot.slack.buttons import Button
from bot.slack.cards.lasting import restore
from bot.slack.cards.scene import Scene
from bot.slack.feature import Asked, Feature, Shown
from commands.room import Verb, details


class Restore(Verb):
    pass


async def run(ctx: Context, asked: Asked, form: Restore) -> Shown:
    case = await details(ctx, asked, form.incident)
    shown = restore(Scene(case, ctx.playbook, speed=ctx.speed))
    return Shown(str(shown.text), list(shown.blocks))


async def click(ctx: Context, asked: Asked) -> Shown:
    return await run(ctx, asked, Restore())


FEATURE: Feature[Context] = Feature(
    verb="contain restore",
    summary="What is in force, to revert or keep.",
    model=Restore,
    examples=("/incident contain restore",),
    run=run,
    positional=("incident",),
    buttons={Button.STEP_RESTORE: click},
)
