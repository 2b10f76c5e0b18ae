"""`/incident sev`: confirm the severity, or change it and say why."""

from __future__ import annotations

from slack_sdk.models.views import View

from bot.cases import severity
from bot.cases.context import Context
from bot.incident.casefile import CaseFile
from bot.incident.words import Severity
from bot.slack.buttons import Button, value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.kit import option
from bot.slack.modal import choice, modal, text_input
from commands.room import Verb, number, seen


class Sev(Verb):
    severity: Severity
    reason: str | None = None


async def run(ctx: Context, asked: Asked, form: Sev) -> str:
    which = await number(ctx, asked, form.incident)
    return await severity.change(ctx, asked.caller, which, severity=form.severity, reason=form.reason)


async def bare(ctx: Context, asked: Asked) -> Modal:
    return Modal(view(ctx, (await seen(ctx, asked)).case))


def view(ctx: Context, case: CaseFile) -> View:
    options = {
        severity: option(f"{severity.label} {ctx.playbook.severities[severity].label}", str(severity.value))
        for severity in Severity
    }
    return modal(
        "sev",
        "Severity",
        choice("severity", "Severity", list(options.values()), initial=options[case.incident.severity]),
        text_input("reason", "Why", optional=True, multiline=True, longest=500, hint="Needed where it changes."),
        metadata=value(case.incident.number),
    )


FEATURE: Feature[Context] = Feature(
    verb="sev",
    summary="Confirm or change the severity.",
    model=Sev,
    examples=("/incident sev 2", "/incident sev sev1 a second tenant is affected"),
    run=run,
    positional=("severity", "reason"),
    bare=bare,
    buttons={Button.SEVERITY: bare},
    forms=(Form("sev", Sev, run),),
)
