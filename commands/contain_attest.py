"""`/incident contain attest`: a person carried the action out, and says what they did."""

from __future__ import annotations

from pydantic import Field

from bot.cases.attest import attest
from bot.cases.context import Context
from bot.slack.buttons import Button, value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.modal import modal, text_input
from commands.room import Verb, number


class Attest(Verb):
    index: int = Field(ge=1, le=9_999, title="number of the action")
    statement: str = Field(min_length=1, max_length=1000)


async def run(ctx: Context, asked: Asked, form: Attest) -> str:
    which = await number(ctx, asked, form.incident)
    return await attest(ctx, asked.caller, which, index=form.index, statement=form.statement)


async def click(ctx: Context, asked: Asked) -> Modal:
    index = asked.value.partition("|")[0]
    hint = "Say how you checked that it holds, too. The review prints it."
    statement = text_input("statement", "What did you do?", multiline=True, longest=1000, hint=hint)
    metadata = value(await number(ctx, asked), index)
    return Modal(modal("contain_attest", "Carried out by hand", statement, submit="I did it", metadata=metadata))


FEATURE: Feature[Context] = Feature(
    verb="contain attest",
    summary="Say that you carried a manual action out, and how.",
    model=Attest,
    examples=("/incident contain attest 3 disabled the key in the console and saw it refused",),
    run=run,
    positional=("index", "statement"),
    buttons={Button.ATTEST: click},
    forms=(Form("contain_attest", Attest, run, carries=("index",)),),
)
