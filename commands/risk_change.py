"""`/incident risk change`: a risk became likelier, worse, somebody else's. With only its number, a form."""

from __future__ import annotations

from bot.cases import risks
from bot.cases.context import Context
from bot.incident.learning import Risk
from bot.incident.words import Level, Treatment
from bot.slack.buttons import Button, value
from bot.slack.feature import Answer, Asked, Feature, Form, Modal
from bot.slack.fields import Person
from bot.slack.modal import modal
from commands.one_item import About, Day, Number, Words, due, pressed, readable_risk, same
from commands.risk_add import inputs


class ChangeRisk(About):
    risk: Number
    text: Words | None = None
    likelihood: Level | None = None
    impact: Level | None = None
    treatment: Treatment | None = None
    owner: Person | None = None
    review: Day | None = None


async def run(ctx: Context, asked: Asked, form: ChangeRisk) -> Answer:
    if form == ChangeRisk(risk=form.risk):
        return _form(await readable_risk(ctx, asked, form.risk))
    return await submit(ctx, asked, form)


async def submit(ctx: Context, asked: Asked, form: ChangeRisk) -> str:
    before = await readable_risk(ctx, asked, form.risk)
    review = None if same(form.review, before.review_at) else due(ctx, form.review, "review")
    wanted = risks.Change(form.text, form.likelihood, form.impact, form.treatment, form.owner, review)
    return await risks.change(ctx, asked.caller, form.risk, wanted, room=asked.channel)


async def click(ctx: Context, asked: Asked) -> Modal:
    return _form(await readable_risk(ctx, asked, pressed(asked)))


def _form(risk: Risk) -> Modal:
    return Modal(modal("risk_change", "Change a risk", *inputs(risk), metadata=value(risk.incident, risk.id or 0)))


FEATURE: Feature[Context] = Feature(
    verb="risk change",
    summary="Change a risk.",
    model=ChangeRisk,
    examples=("/incident risk change 3 --likelihood high", "/incident risk change 3"),
    run=run,
    positional=("risk", "text"),
    buttons={Button.RISK_CHANGE: click},
    forms=(Form("risk_change", ChangeRisk, submit, carries=("risk",)),),
)
