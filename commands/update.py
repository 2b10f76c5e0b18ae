"""`/incident update`: what stakeholders outside the room read."""

from __future__ import annotations

from pydantic import Field

from bot.cases import update
from bot.cases.context import Context
from bot.slack.buttons import Button, value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.modal import modal, text_input
from commands.room import Verb, number


class Update(Verb):
    text: str = Field(min_length=1, max_length=update.LONGEST)


async def run(ctx: Context, asked: Asked, form: Update) -> str:
    return await update.update(ctx, asked.caller, await number(ctx, asked, form.incident), text=form.text)


async def bare(ctx: Context, asked: Asked) -> Modal:
    which = await number(ctx, asked)
    hint = "Everybody in the stakeholders' channel reads this: no names, no evidence, no secrets."
    text = text_input("text", "Update for stakeholders", multiline=True, longest=update.LONGEST, hint=hint)
    return Modal(modal("update", "Post an update", text, submit="Post", metadata=value(which)))


FEATURE: Feature[Context] = Feature(
    verb="update",
    summary="Post an update for stakeholders outside the room.",
    model=Update,
    examples=("/incident update Contained; no customer action is needed",),
    run=run,
    positional=("text",),
    bare=bare,
    buttons={Button.UPDATE: bare},
    forms=(Form("update", Update, run),),
)
