"""`/incident answer`: root cause, contributing factors, gaps, what went well, luck; decisions on legal clocks.

The form asks everything that the playbook asks, with what was answered before. What a person leaves as they found it is not
sent on: nobody overwrites with an old answer what another person wrote while the form was open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, LiteralString

from pydantic import Field, create_model

from bot.cases import questions
from bot.cases.context import Context
from bot.playbook.asked import AskedOf, about_attack, about_clocks
from bot.slack.buttons import value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.modal import modal, text_input
from bot.store import learning
from commands.room import Verb, details, number

CLOCKS = "clocks"
FIELDS = 24
"""Questions of one form. Where a playbook asks more, the rest is answered by typing."""
DIGITS = 8


class Answer(Verb):
    question: str = Field(max_length=80)
    text: str = Field(default="", max_length=questions.LONGEST)


class Shown(Verb):
    """The form. Which questions there are is the playbook's, so its fields are numbered."""

    asked: str = ""
    """What each field asks, and by which digest its text is known again: `why:1a2b3c4d …`."""


_numbered: dict[str, Any] = {f"answer_{place}": (str | None, None) for place in range(FIELDS)}
Filled = create_model("Filled", __base__=Shown, **_numbered)


async def run(ctx: Context, asked: Asked, form: Answer) -> str | Modal:
    if form.question.casefold() == CLOCKS and not form.text:
        return await _form(ctx, asked, form.incident, "Legal clocks", about_clocks(ctx.playbook))
    which = await number(ctx, asked, form.incident)
    return await questions.answer(ctx, asked.caller, which, {form.question: form.text})


async def bare(ctx: Context, asked: Asked) -> Modal:
    return await _form(ctx, asked, None, "What was learned", about_attack(ctx.playbook))


async def _form(
    ctx: Context, asked: Asked, named: int | None, title: LiteralString, questions_: Sequence[AskedOf]
) -> Modal:
    which = (await details(ctx, asked, named)).incident.number
    async with ctx.store.read() as session:
        known = await learning.answers(session, which)
    shown = questions_[:FIELDS]
    inputs = [
        text_input(
            f"answer_{place}",
            one.text,
            initial=known.get(one.id),
            hint=one.hint,
            multiline=True,
            optional=True,
            longest=questions.LONGEST,
        )
        for place, one in enumerate(shown)
    ]
    carried = " ".join(f"{one.id}:{_digest(known.get(one.id, ''))}" for one in shown)
    return Modal(modal("answer", title, *inputs, metadata=value(which, carried)))


async def submit(ctx: Context, asked: Asked, form: Shown) -> str:
    which = await number(ctx, asked, form.incident)
    said: dict[str, str] = {}
    for place, one in enumerate(form.asked.split()):
        question, _, digest = one.partition(":")
        text = str(getattr(form, f"answer_{place}", None) or "")
        if _digest(text) != digest:
            said[question] = text
    if not any(said.values()):
        return "Nothing was changed: every answer is as it was. To take one back, write what is true instead."
    return await questions.answer(ctx, asked.caller, which, said)


def _digest(text: str) -> str:
    """Slack trims what is typed and shows at most 3,000 characters."""
    return hashlib.sha256(text.strip()[: questions.LONGEST].encode("utf-8", "replace")).hexdigest()[:DIGITS]


FEATURE: Feature[Context] = Feature(
    verb="answer",
    summary="What was learned: root cause, factors, gaps, luck, legal clocks.",
    model=Answer,
    examples=(
        "/incident answer",
        "/incident answer why the canary was in the prompt",
        "/incident answer clocks",
    ),
    run=run,
    positional=("question", "text"),
    bare=bare,
    forms=(Form("answer", Filled, submit, carries=("asked",)),),
)
