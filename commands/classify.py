"""`/incident classify`: which kind of attack it was, and by which techniques."""

from __future__ import annotations

from pydantic import Field
from slack_sdk.models.views import View
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.cases import classify, questions
from bot.cases.context import Context
from bot.incident.incident import Incident
from bot.incident.words import Category
from bot.playbook import tags
from bot.playbook.asked import VECTORS
from bot.slack.buttons import value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.kit import option
from bot.slack.modal import choice, modal, text_input
from bot.store import learning
from commands.room import Verb, details, number

TAGS_CHARS = 500


class Classify(Verb):
    category: Category
    tags: str | None = Field(default=None, max_length=TAGS_CHARS)
    vectors: str | None = Field(default=None, max_length=questions.LONGEST)


class Filled(Classify):
    """The form shows the tags there are, so that an emptied field means none."""

    tags: str | None = Field(default="", max_length=TAGS_CHARS)


async def run(ctx: Context, asked: Asked, form: Classify) -> str:
    which = await number(ctx, asked, form.incident)
    return await classify.classify(
        ctx, asked.caller, which, category=form.category, tags=form.tags, vectors=form.vectors
    )


async def bare(ctx: Context, asked: Asked) -> Modal:
    incident = (await details(ctx, asked)).incident
    async with ctx.store.read() as session:
        return Modal(await _view(ctx, session, incident))


async def _view(ctx: Context, session: AsyncSession, incident: Incident) -> View:
    answers = await learning.answers(session, incident.number)
    options = {one: option(ctx.playbook.categories[one].title, one.value) for one in Category}
    brought = tags.implied(ctx.playbook, incident.category, incident.trigger)
    hint = "Ids of MITRE ATLAS and OWASP, apart by commas, as far as they were found to be used."
    implied = f" Trigger and category imply {', '.join(brought)}." if brought else ""
    return modal(
        "classify",
        "Classify the attack",
        choice(
            "category",
            "Kind of attack",
            list(options.values()),
            initial=options[incident.category] if incident.category else None,
            hint="Its steps join the checklists, and what it adds to containment is proposed.",
        ),
        text_input(
            "tags",
            "Techniques",
            initial=", ".join(incident.tags or ()),
            optional=True,
            longest=TAGS_CHARS,
            hint=hint + implied,
        ),
        text_input(
            "vectors",
            "How did it come in?",
            initial=answers.get(VECTORS),
            optional=True,
            multiline=True,
            longest=questions.LONGEST,
        ),
        metadata=value(incident.number),
    )


FEATURE: Feature[Context] = Feature(
    verb="classify",
    summary="Say which kind of attack it was: category, techniques, vectors.",
    model=Classify,
    examples=("/incident classify prompt_injection AML.T0051.001 LLM01", "/incident classify data_poisoning"),
    run=run,
    positional=("category", "tags"),
    bare=bare,
    forms=(Form("classify", Filled, run),),
)
