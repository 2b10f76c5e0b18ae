"""`/incident step skip`: this step is not needed here, and why."""

from __future__ import annotations

from pydantic import Field

from bot.cases import steps
from bot.cases.context import Context
from bot.slack.buttons import value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.modal import modal, text_input
from commands.room import Verb, number


class Skip(Verb):
    step: str = Field(min_length=1, max_length=120)
    reason: str = Field(min_length=1, max_length=1000)


async def run(ctx: Context, asked: Asked, form: Skip) -> str:
    which = await number(ctx, asked, form.incident)
    return await steps.skip(ctx, asked.caller, which, step_id=form.step, reason=form.reason)


def form_of(incident: int, step: str) -> Modal:
    reason = text_input("reason", "Why is it not needed?", multiline=True, longest=1000, hint="The review prints it.")
    return Modal(modal("step_skip", "Skip a step", reason, submit="Skip", metadata=value(incident, step)))


FEATURE: Feature[Context] = Feature(
    verb="step skip",
    summary="Skip a step, with a reason.",
    model=Skip,
    examples=("/incident step skip triage.scope no other model shares the prompt",),
    run=run,
    positional=("step", "reason"),
    forms=(Form("step_skip", Skip, run, carries=("step",)),),
)
