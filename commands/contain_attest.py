"""`/incident contain attest`: a person carried the action out, and says what they did."""

from __future__ import annotations

from pydantic import Field

from bot.cases.attest import attest
from bot.cases.context import Context
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature, Form, Modal
from commands.one_action import LONGEST, OneAction, ask
from commands.room import number


class Attest(OneAction):
    statement: str = Field(min_length=1, max_length=LONGEST)


async def run(ctx: Context, asked: Asked, form: Attest) -> str:
    which = await number(ctx, asked, form.incident)
    return await attest(ctx, asked.caller, which, index=form.index, statement=form.statement)


async def click(ctx: Context, asked: Asked) -> Modal:
    hint = "Say how you checked that it holds, too. The review prints it."
    words, submit = "What did you do?", "I did it"
    return await ask(
        ctx, asked, "contain_attest", "Carried out by hand", field="statement", label=words, hint=hint, submit=submit
    )


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
