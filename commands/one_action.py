"""What the verbs about one containment action share: its number, and a form that asks for a sentence about it.

Decides how a button's value becomes the form. What is done with number and sentence is each verb's.
"""

from __future__ import annotations

from typing import LiteralString

from pydantic import Field

from bot.cases.context import Context
from bot.slack.buttons import value
from bot.slack.feature import Asked, Modal
from bot.slack.modal import modal, text_input
from commands.room import Verb, number

LONGEST = 1_000


class OneAction(Verb):
    index: int = Field(ge=1, le=9_999, title="number of the action")


async def ask(
    ctx: Context,
    asked: Asked,
    callback_id: str,
    title: LiteralString,
    *,
    field: str,
    label: str,
    hint: str,
    submit: LiteralString,
    digest: bool = False,
) -> Modal:
    """The form with one text. It carries the action's number, with `digest` also what was shown of it (`3|ab12cd…`)."""
    index, _, shown = asked.value.partition("|")
    sentence = text_input(field, label, multiline=True, longest=LONGEST, hint=hint)
    carried = [index, shown] if digest else [index]
    metadata = value(await number(ctx, asked), *carried)
    return Modal(modal(callback_id, title, sentence, submit=submit, metadata=metadata))
