"""`/incident action add`: what must change so that it does not happen again, of which kind, by whom, until when."""

from __future__ import annotations

from bot.cases import items
from bot.cases.context import Context
from bot.incident.words import ItemKind
from bot.slack.buttons import Button, value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.fields import Person
from bot.slack.kit import option
from bot.slack.modal import choice, modal, person_input, text_input
from commands.one_item import Day, Words, due
from commands.room import Verb, number

KINDS = [option(kind.value.capitalize(), kind.value) for kind in ItemKind]
DAY_HINT = "A UTC date: 2026-12-01, 10d or 2w."


class Add(Verb):
    text: Words
    type: ItemKind = ItemKind.PREVENT
    owner: Person | None = None
    due: Day | None = None


async def run(ctx: Context, asked: Asked, form: Add) -> str:
    which = await number(ctx, asked, form.incident)
    return await items.add(
        ctx,
        asked.caller,
        which,
        text=form.text,
        kind=form.type,
        owner=form.owner,
        due_at=due(ctx, form.due, "due"),
        room=asked.channel,
    )


async def bare(ctx: Context, asked: Asked) -> Modal:
    which = await number(ctx, asked)
    return Modal(
        modal(
            "action_add",
            "Add an action item",
            text_input("text", "What must change?", multiline=True, longest=items.LONGEST),
            choice("type", "What does it do about the next one?", KINDS, initial=KINDS[0]),
            person_input("owner", "Who sees to it?", optional=True),
            text_input("due", "Until when?", optional=True, longest=20, hint=DAY_HINT),
            metadata=value(which),
        )
    )


FEATURE: Feature[Context] = Feature(
    verb="action add",
    summary="Add an action item.",
    model=Add,
    examples=(items.EXAMPLE,),
    run=run,
    positional=("text",),
    bare=bare,
    buttons={Button.ITEM_ADD: bare},
    forms=(Form("action_add", Add, run),),
)
