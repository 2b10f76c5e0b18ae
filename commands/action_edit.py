"""`/incident action edit`: another text, kind, owner or date for an action item. With only its number, a form."""

from __future__ import annotations

from slack_sdk.models.views import View

from bot.cases import items
from bot.cases.context import Context
from bot.incident.learning import ActionItem
from bot.incident.words import ItemKind
from bot.slack.buttons import Button, value
from bot.slack.feature import Answer, Asked, Feature, Form, Modal
from bot.slack.fields import Person
from bot.slack.modal import choice, modal, person_input, text_input
from commands.action_add import DAY_HINT, KINDS
from commands.one_item import About, Day, Number, Words, due, pressed, readable_item, same


class Edit(About):
    item: Number
    text: Words | None = None
    type: ItemKind | None = None
    owner: Person | None = None
    due: Day | None = None


async def run(ctx: Context, asked: Asked, form: Edit) -> Answer:
    if form == Edit(item=form.item):
        return Modal(_form(await readable_item(ctx, asked, form.item)))
    return await submit(ctx, asked, form)


async def submit(ctx: Context, asked: Asked, form: Edit) -> str:
    before = await readable_item(ctx, asked, form.item)
    date = None if same(form.due, before.due_at) else due(ctx, form.due, "due")
    wanted = items.Change(form.text, form.type, form.owner, date)
    return await items.change(ctx, asked.caller, form.item, wanted, room=asked.channel)


async def click(ctx: Context, asked: Asked) -> Modal:
    return Modal(_form(await readable_item(ctx, asked, pressed(asked))))


def _form(item: ActionItem) -> View:
    initial = next(one for one in KINDS if one.value == item.kind.value)
    return modal(
        "action_edit",
        "Edit an action item",
        text_input("text", "What must change?", multiline=True, initial=item.text, longest=items.LONGEST),
        choice("type", "What does it do about the next one?", KINDS, initial=initial),
        person_input("owner", "Who sees to it?", initial=item.owner, optional=True),
        text_input(
            "due", "Until when?", initial=f"{item.due_at:%Y-%m-%d}" if item.due_at else None, optional=True,
            longest=20, hint=DAY_HINT,
        ),
        metadata=value(item.incident, item.id or 0),
    )  # fmt: skip


FEATURE: Feature[Context] = Feature(
    verb="action edit",
    summary="Change an action item.",
    model=Edit,
    examples=("/incident action edit 3 --owner @bob --due 2026-12-01", "/incident action edit 3"),
    run=run,
    positional=("item", "text"),
    buttons={Button.ITEM_EDIT: click},
    forms=(Form("action_edit", Edit, submit, carries=("item",)),),
)
