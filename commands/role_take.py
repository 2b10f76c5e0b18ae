"""`/incident role take`: I am the commander (or hold another role) from now on."""

from __future__ import annotations

from pydantic import Field

from bot.cases import roles
from bot.cases.context import Context
from bot.incident.words import Role
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature
from commands.room import Verb, number


class Take(Verb):
    role: Role = Field(default=Role.COMMANDER)


async def run(ctx: Context, asked: Asked, form: Take) -> str:
    which = await number(ctx, asked, form.incident)
    return await roles.assign(ctx, asked.caller, which, role=form.role, person=asked.user)


async def click(ctx: Context, asked: Asked) -> str:
    return await run(ctx, asked, Take())


FEATURE: Feature[Context] = Feature(
    verb="role take",
    summary="Take a role: commander, technical_lead, communications_lead, legal or scribe.",
    model=Take,
    examples=("/incident role take commander", "/incident role take scribe"),
    run=run,
    positional=("role",),
    buttons={Button.TAKE_COMMAND: click},
)
