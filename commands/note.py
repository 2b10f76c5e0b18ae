"""`/incident note`: a line for the timeline."""

from __future__ import annotations

from pydantic import Field

from bot.cases import note
from bot.cases.context import Context
from bot.slack.buttons import Button, value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.modal import modal, text_input
from commands.room import Verb, number


class Note(Verb):
    text: str = Field(min_length=1, max_length=note.LONGEST)


async def run(ctx: Context, asked: Asked, form: Note) -> str:
    return await note.note(ctx, asked.caller, await number(ctx, asked, form.incident), text=form.text)


async def bare(ctx: Context, asked: Asked) -> Modal:
    which = await number(ctx, asked)
    text = text_input("text", "What was seen, tried or decided?", multiline=True, longest=note.LONGEST)
    return Modal(modal("note", "Add a note", text, metadata=value(which)))


FEATURE: Feature[Context] = Feature(
    verb="note",
    summary="Add a note to the timeline.",
    model=Note,
    examples=("/incident note the canary was in the second answer",),
    run=run,
    positional=("text",),
    bare=bare,
    buttons={Button.NOTE: bare},
    forms=(Form("note", Note, run),),
)
