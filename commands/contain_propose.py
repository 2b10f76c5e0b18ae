"""`/incident contain propose`: one action on one scope, for the commander to decide."""

from __future__ import annotations

from pydantic import Field
from slack_sdk.models.views import View

from bot.cases.context import Context
from bot.cases.propose import propose
from bot.incident.casefile import CaseFile
from bot.incident.words import ActionKind, ScopeKind
from bot.slack.buttons import Button, value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.kit import option
from bot.slack.modal import choice, modal, text_input
from commands.room import Verb, details, number


class Propose(Verb):
    action: ActionKind
    scope: ScopeKind
    target: str = Field(min_length=1, max_length=300)
    why: str = Field(min_length=1, max_length=1000)


async def run(ctx: Context, asked: Asked, form: Propose) -> str:
    which = await number(ctx, asked, form.incident)
    return await propose(
        ctx,
        asked.caller,
        which,
        kind=form.action,
        scope_kind=form.scope,
        scope_id=form.target,
        why=form.why,
    )


async def bare(ctx: Context, asked: Asked) -> Modal:
    return Modal(view(ctx, await details(ctx, asked), None))


async def from_step(ctx: Context, asked: Asked) -> Modal:
    """The step names the action: `step.id|block_user`."""
    kind = asked.value.rpartition("|")[2]
    return Modal(view(ctx, await details(ctx, asked), ActionKind(kind) if kind in set(ActionKind) else None))


def view(ctx: Context, case: CaseFile, kind: ActionKind | None) -> View:
    """Filled with the incident's own subject, the smallest scope that stops the harm (design law 9)."""
    kinds = {one: option(ctx.playbook.actions[one].title, one.value) for one in ctx.playbook.actions}
    scopes = {one.value: option(one.value.replace("_", " "), one.value) for one in ScopeKind}
    incident = case.incident
    subject = scopes.get(incident.subject_kind.value) if incident.subject_id else None
    return modal(
        "contain_propose",
        "Propose containment",
        choice("action", "Action", list(kinds.values()), initial=kinds.get(kind) if kind else None),
        choice("scope", "On", list(scopes.values()), initial=subject, hint="The smallest that stops the harm."),
        text_input("target", "Its id", initial=incident.subject_id, longest=300, hint="For everyone, write *."),
        text_input("why", "Why", multiline=True, longest=1000),
        submit="Propose",
        metadata=value(incident.number),
    )


FEATURE: Feature[Context] = Feature(
    verb="contain propose",
    summary="Propose a containment action; nothing happens before it is approved.",
    model=Propose,
    examples=("/incident contain propose block_user user u-1042 pulls the knowledge base",),
    run=run,
    positional=("action", "scope", "target", "why"),
    bare=bare,
    buttons={Button.PROPOSE: bare, Button.STEP_PROPOSE: from_step},
    forms=(Form("contain_propose", Propose, run),),
)
