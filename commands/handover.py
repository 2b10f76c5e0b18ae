"""`/incident handover`: where things stand, posted in the room; the commander may ask one person to take command."""

from __future__ import annotations

from pydantic import Field

from bot.cases import handover
from bot.cases.context import Context
from bot.slack.feature import Asked, Feature
from bot.slack.fields import Person
from commands.room import Verb, number


class Handover(Verb):
    person: Person | None = None
    text: str = Field(default="", max_length=handover.LONGEST)


async def run(ctx: Context, asked: Asked, form: Handover) -> str:
    which = await number(ctx, asked, form.incident)
    return await handover.hand_over(ctx, asked.caller, which, to=form.person, text=form.text)


FEATURE: Feature[Context] = Feature(
    verb="handover",
    summary="Post a summary for whoever takes over.",
    model=Handover,
    examples=("/incident handover @bob watch the canary", "/incident handover"),
    run=run,
    positional=("person", "text"),
)
