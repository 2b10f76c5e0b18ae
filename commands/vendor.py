"""`/incident vendor`: the report to the maker of a third-party model. A draft first; a person releases exactly that."""

from __future__ import annotations

from pydantic import Field

from bot.cases import questions, release
from bot.cases.context import Context
from bot.slack.buttons import value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.modal import modal, text_input
from commands.room import Verb, details

HINT = "What the model did that it must not do. Payloads are named by their hashes; customers and people are not named."


class Vendor(Verb):
    text: str | None = Field(default=None, max_length=questions.LONGEST)


async def run(ctx: Context, asked: Asked, form: Vendor) -> str:
    which = form.incident if form.incident is not None else asked.incident
    if which is None or asked.channel is not None:  # a submitted form names the incident whose room it was opened in
        which = (await details(ctx, asked, form.incident)).incident.number
    return await release.draft(ctx, asked.caller, which, document="vendor", text=form.text)


async def bare(ctx: Context, asked: Asked) -> Modal:
    case = await details(ctx, asked)
    text = text_input("text", "What was seen?", multiline=True, optional=True, longest=questions.LONGEST, hint=HINT)
    return Modal(modal("vendor", "Report to the vendor", text, submit="Draft", metadata=value(case.incident.number)))


FEATURE: Feature[Context] = Feature(
    verb="vendor",
    summary="Draft the report to the maker of a third-party model; a person releases it.",
    model=Vendor,
    examples=("/incident vendor", "/incident vendor the model repeats its system prompt when asked in base64"),
    run=run,
    positional=("text",),
    bare=bare,
    forms=(Form("vendor", Vendor, run),),
)
