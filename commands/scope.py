"""`/incident scope`: how far it went, as data: models, environments, users, records, classes of data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field
from slack_sdk.models.blocks import InputBlock

from bot.cases import exposure
from bot.cases.context import Context
from bot.cases.exposure import Estimate
from bot.slack.buttons import value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.modal import modal, text_input
from commands.room import Verb, details, number

NAMES_CHARS, COUNT_CHARS = 2500, 40
APART = "Apart by commas."


def _a_count(text: str) -> str:
    """As it was typed, once it is one: the form says so under the input. Raises ValueError."""
    exposure.count(text)
    return text


Count = Annotated[str, AfterValidator(_a_count)]


class Scope(Verb):
    models: str | None = Field(default=None, max_length=NAMES_CHARS)
    environments: str | None = Field(default=None, max_length=NAMES_CHARS)
    data_classes: str | None = Field(default=None, max_length=NAMES_CHARS)
    users: Count | None = Field(default=None, max_length=COUNT_CHARS)
    records: Count | None = Field(default=None, max_length=COUNT_CHARS)
    basis: str | None = Field(default=None, max_length=exposure.LONGEST_BASIS)


class Filled(Scope):
    """The form shows what is known, so that an emptied field means that it is not known (any more)."""

    models: str | None = Field(default="", max_length=NAMES_CHARS)
    environments: str | None = Field(default="", max_length=NAMES_CHARS)
    data_classes: str | None = Field(default="", max_length=NAMES_CHARS)
    users: Count | None = Field(default="", max_length=COUNT_CHARS)
    records: Count | None = Field(default="", max_length=COUNT_CHARS)
    basis: str | None = Field(default="", max_length=exposure.LONGEST_BASIS)


async def run(ctx: Context, asked: Asked, form: Scope) -> str:
    which = await number(ctx, asked, form.incident)
    return await exposure.estimate(ctx, asked.caller, which, Estimate(**form.model_dump(exclude={"incident"})))


async def bare(ctx: Context, asked: Asked) -> Modal:
    case = await details(ctx, asked)
    known, app = case.exposure, case.incident.app
    of_app = f"{APART} The incident is about the application {app}." if app else APART
    hint = "Counted in logs, estimated from traffic, or why it cannot be known."
    return Modal(
        modal(
            "scope",
            "How far did it go?",
            _names("models", "Models, with versions", known.models if known else (), of_app),
            _names("environments", "Environments", known.environments if known else (), APART),
            _count("users", "Users exposed", known.users_exposed if known else None),
            _count("records", "Records exposed", known.records_exposed if known else None),
            _names("data_classes", "Classes of data", known.data_classes if known else (), APART),
            text_input(
                "basis",
                "On what does this rest?",
                initial=known.basis if known else None,
                optional=True,
                multiline=True,
                longest=exposure.LONGEST_BASIS,
                hint=hint,
            ),
            metadata=value(case.incident.number),
        )
    )


def _names(field: str, label: str, known: Sequence[str], hint: str) -> InputBlock:
    return text_input(field, label, initial=", ".join(known), optional=True, longest=NAMES_CHARS, hint=hint)


def _count(field: str, label: str, known: int | None) -> InputBlock:
    shown = None if known is None else str(known)
    hint = "Leave it empty where it is not known: that is no zero."
    return text_input(field, label, initial=shown, optional=True, longest=COUNT_CHARS, hint=hint)


FEATURE: Feature[Context] = Feature(
    verb="scope",
    summary="Estimate how far it went: models, users, records, data.",
    model=Scope,
    examples=(exposure.EXAMPLE,),
    run=run,
    bare=bare,
    forms=(Form("scope", Filled, run),),
)
