"""`/incident step note`: what was found while doing a step."""

from __future__ import annotations

from pydantic import Field

from bot.cases import steps
from bot.cases.context import Context
from bot.slack.buttons import value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.modal import modal, text_input
from commands.room import Verb, number


class Note(Verb):
    step: str = Field(min_length=1, max_length=120)
    text: str = Field(min_length=1, max_length=1000)


async def run(ctx: Context, asked: Asked, form: Note) -> str:
    which = await number(ctx, asked, form.incident)
    return await steps.annotate(ctx, asked.caller, which, step_id=form.step, text=form.text)


def form_of(incident: int, step: str) -> Modal:
    text = text_input("text", "What was found?", multiline=True, longest=1000)
    return Modal(modal("step_note", "Note on a step", text, metadata=value(incident, step)))


FEATURE: Feature[Context] = Feature(
    verb="step note",
    summary="Add a note to a step.",
    model=Note,
    examples=("/incident step note triage.scope only the support bot shares it",),
    run=run,
    positional=("step", "text"),
    forms=(Form("step_note", Note, run, carries=("step",)),),
)
