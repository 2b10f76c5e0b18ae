"""`/incident risk add`: what remains of it, how likely, how bad, what is done about it, who looks at it again and when."""

from __future__ import annotations

from enum import StrEnum

from slack_sdk.models.blocks import InputBlock

from bot.cases import risks
from bot.cases.context import Context
from bot.cases.items import LONGEST
from bot.incident.learning import Risk
from bot.incident.words import Level, Treatment
from bot.slack.buttons import Button, value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.fields import Person
from bot.slack.kit import option
from bot.slack.modal import choice, modal, person_input, text_input
from commands.action_add import DAY_HINT
from commands.one_item import Day, Words, due
from commands.room import Verb, number


class AddRisk(Verb):
    text: Words
    likelihood: Level = Level.MEDIUM
    impact: Level = Level.MEDIUM
    treatment: Treatment = Treatment.MITIGATE
    owner: Person | None = None
    review: Day | None = None


async def run(ctx: Context, asked: Asked, form: AddRisk) -> str:
    which = await number(ctx, asked, form.incident)
    return await risks.enter(
        ctx,
        asked.caller,
        which,
        text=form.text,
        likelihood=form.likelihood,
        impact=form.impact,
        treatment=form.treatment,
        owner=form.owner,
        review_at=due(ctx, form.review, "review"),
        room=asked.channel,
    )


async def bare(ctx: Context, asked: Asked) -> Modal:
    which = await number(ctx, asked)
    return Modal(modal("risk_add", "Enter a risk", *inputs(), metadata=value(which)))


def inputs(risk: Risk | None = None) -> list[InputBlock]:
    """The form's inputs, holding what the risk says now."""
    likelihood, impact = (risk.likelihood, risk.impact) if risk else (Level.MEDIUM, Level.MEDIUM)
    again = f"{risk.review_at:%Y-%m-%d}" if risk and risk.review_at else None
    return [
        text_input("text", "What may happen?", multiline=True, initial=risk.text if risk else None, longest=LONGEST),
        _choice("likelihood", "How likely is it?", Level, likelihood),
        _choice("impact", "How bad would it be?", Level, impact),
        _choice("treatment", "What is done about it?", Treatment, risk.treatment if risk else Treatment.MITIGATE),
        person_input("owner", "Who looks at it again?", initial=risk.owner if risk else None, optional=True),
        text_input("review", "When?", initial=again, optional=True, longest=20, hint=DAY_HINT),
    ]


def _choice(field: str, label: str, words: type[StrEnum], initial: StrEnum) -> InputBlock:
    options = [option(word.value.capitalize(), word.value) for word in words]
    return choice(field, label, options, initial=next(one for one in options if one.value == initial.value))


FEATURE: Feature[Context] = Feature(
    verb="risk add",
    summary="Enter a risk.",
    model=AddRisk,
    examples=(
        "/incident risk add --likelihood low --impact high --owner @bob --review 90d other prompts hold secrets too",
    ),
    run=run,
    positional=("text",),
    bare=bare,
    buttons={Button.RISK_ADD: bare},
    forms=(Form("risk_add", AddRisk, run),),
)
