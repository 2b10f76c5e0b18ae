"""`/incident contain keep`: leave an action in force on purpose, and why. The review names it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from bot.cases import recovery
from bot.cases.context import Context
from bot.slack.buttons import Button, value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.kit import option
from bot.slack.modal import choice, modal, text_input
from commands.room import Verb, number

UNITS = {"m": 1, "h": 60, "d": 24 * 60}
AGAIN = {"4h": "In 4 hours", "1d": "In 1 day", "7d": "In 7 days"}


def minutes(given: object) -> object:
    """`30m`, `4h` and `2d` as minutes. Raises ValueError."""
    text = str(given).strip().casefold()
    if text[-1:] not in UNITS or not (text[:-1].isascii() and text[:-1].isdecimal()) or len(text) > 8:
        raise ValueError("A time is written like 30m, 4h or 2d.")
    return int(text[:-1]) * UNITS[text[-1]]


class Keep(Verb):
    index: int = Field(ge=1, le=9_999, title="number of the action")
    reason: str = Field(min_length=1, max_length=1000)
    ask_again: Annotated[int | None, BeforeValidator(minutes)] = None
    """`4h`: then the room is asked again."""


async def run(ctx: Context, asked: Asked, form: Keep) -> str:
    which = await number(ctx, asked, form.incident)
    return await recovery.keep(ctx, asked.caller, which, index=form.index, reason=form.reason, minutes=form.ask_again)


async def click(ctx: Context, asked: Asked) -> Modal:
    index = asked.value.partition("|")[0]
    again = [option(label, span) for span, label in AGAIN.items()]
    return Modal(
        modal(
            "contain_keep",
            "Keep it in force",
            text_input("reason", "Why does it stay?", multiline=True, longest=1000, hint="The review prints it."),
            choice("ask_again", "Ask again", again, optional=True, hint="Without it, the resolution asks."),
            submit="Keep",
            metadata=value(await number(ctx, asked), index),
        )
    )


FEATURE: Feature[Context] = Feature(
    verb="contain keep",
    summary="Leave an action in force, with a reason.",
    model=Keep,
    examples=("/incident contain keep 3 the account was taken over", "/incident contain keep 3 --ask-again 4h not yet"),
    run=run,
    positional=("index", "reason"),
    buttons={Button.KEEP: click},
    forms=(Form("contain_keep", Keep, run, carries=("index",)),),
)
