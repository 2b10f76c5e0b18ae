"""`/incident declare`, `/incident` alone, the shortcut: an incident begins. The line and the form fill one model."""

from __future__ import annotations

from slack_sdk.models.views import View

from bot.cases.context import Context
from bot.cases.declare import Declaration, declare
from bot.incident.words import Severity, SubjectKind
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.kit import option
from bot.slack.modal import checkboxes, choice, modal, text_input


async def run(ctx: Context, asked: Asked, form: Declaration) -> str:
    return await declare(ctx, asked.caller, form)


async def bare(ctx: Context, asked: Asked) -> Modal:
    return Modal(view(ctx))


def view(ctx: Context) -> View:
    severities = [
        option(f"{severity.label} {ctx.playbook.severities[severity].label}", str(severity.value))
        for severity in Severity
    ]
    triggers = [option(trigger.title, name) for name, trigger in list(ctx.playbook.triggers.items())[:100]]
    subjects = [option(kind.value.replace("_", " "), kind.value) for kind in SubjectKind]
    return modal(
        "declare",
        "Declare an incident",
        choice("severity", "Severity", severities, hint="If in doubt, the worse one: it can be lowered later."),
        text_input("title", "What happens?", placeholder="A canary token was in an answer", longest=300),
        *([choice("trigger", "Trigger, if it is a known one", triggers, optional=True)] if triggers else []),
        choice("subject_kind", "Who or what does it?", subjects, optional=True),
        text_input("subject_id", "Its id", optional=True, longest=300, hint="A user, session, key, IP, endpoint …"),
        text_input("app", "AI application", optional=True, longest=120),
        text_input("summary", "What is known so far", multiline=True, optional=True),
        checkboxes("drill", "Drill", [option("This is a drill: practice connectors, never counted", "drill")]),
        submit="Declare",
    )


FEATURE: Feature[Context] = Feature(
    verb="declare",
    summary="Declare an incident. `/incident` alone opens the form.",
    model=Declaration,
    examples=(
        "/incident declare sev1 A canary token was in an answer",
        "/incident declare sev2 One user pulls the knowledge base --subject-kind user --subject-id u-1042",
    ),
    run=run,
    positional=("severity", "title"),
    bare=bare,
    buttons={Button.DECLARE: bare},
    forms=(Form("declare", Declaration, run),),
)
