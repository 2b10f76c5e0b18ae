"""`/incident step assign`: who does this step. Without a name: I do."""

from __future__ import annotations

from pydantic import Field

from bot.cases import steps
from bot.cases.context import Context
from bot.slack.feature import Asked, Feature
from bot.slack.fields import Person
from commands.room import Verb, number


class Assign(Verb):
    step: str = Field(min_length=1, max_length=120)
    person: Person | None = None


async def run(ctx: Context, asked: Asked, form: Assign) -> str:
    which = await number(ctx, asked, form.incident)
    return await steps.assign(ctx, asked.caller, which, step_id=form.step, owner=form.person or asked.user)


FEATURE: Feature[Context] = Feature(
    verb="step assign",
    summary="Say who does a step; without a name, you.",
    model=Assign,
    examples=("/incident step assign triage.scope @bob", "/incident step assign triage.scope"),
    run=run,
    positional=("step", "person"),
)
