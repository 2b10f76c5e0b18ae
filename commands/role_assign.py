"""`/incident role assign`: somebody else holds the role from now on."""

from __future__ import annotations

from bot.cases import roles
from bot.cases.context import Context
from bot.incident.words import Role
from bot.slack.feature import Asked, Feature
from bot.slack.fields import Person
from commands.room import Verb, number


class Assign(Verb):
    role: Role
    person: Person


async def run(ctx: Context, asked: Asked, form: Assign) -> str:
    which = await number(ctx, asked, form.incident)
    return await roles.assign(ctx, asked.caller, which, role=form.role, person=form.person)


FEATURE: Feature[Context] = Feature(
    verb="role assign",
    summary="Give a role to somebody.",
    model=Assign,
    examples=("/incident role assign commander @bob",),
    run=run,
    positional=("role", "person"),
)
