"""`/incident snooze`: no reminders for a while."""

from __future__ import annotations

from pydantic import Field

from bot.cases import snooze
from bot.cases.context import Context
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature
from commands.room import Verb, number

MINUTES = 10


class Snooze(Verb):
    minutes: int = Field(default=MINUTES, ge=1, le=snooze.LONGEST)


async def run(ctx: Context, asked: Asked, form: Snooze) -> str:
    which = await number(ctx, asked, form.incident)
    return await snooze.snooze(ctx, asked.caller, which, minutes=form.minutes)


async def click(ctx: Context, asked: Asked) -> str:
    minutes = int(asked.value) if asked.value.isdecimal() else MINUTES
    return await run(ctx, asked, Snooze(minutes=minutes))


FEATURE: Feature[Context] = Feature(
    verb="snooze",
    summary="No reminders for some minutes.",
    model=Snooze,
    examples=("/incident snooze 15",),
    run=run,
    positional=("minutes",),
    buttons={Button.SNOOZE: click},
)
