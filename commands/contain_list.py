"""`/incident contain list`: every containment action and where it stands. Inside the room only."""

from __future__ import annotations

from bot.cases.context import Context
from bot.incident.work import Action
from bot.slack.feature import Asked, Feature
from bot.slack.text import Md, code, join, md, who
from commands.room import Verb, details

MOST = 25


class List(Verb):
    pass


async def run(ctx: Context, asked: Asked, form: List) -> str:
    case = await details(ctx, asked, form.incident)
    if not case.actions:
        return md("No containment is proposed for {} yet: `/incident contain propose`.", case.incident.name)
    return join("\n", [line(ctx, action) for action in case.actions[-MOST:]])


def line(ctx: Context, action: Action) -> Md:
    return md(
        "*{}* {} on {} {} · {} · proposed by {}",
        action.index,
        ctx.playbook.actions[action.kind].title,
        action.scope_kind.replace("_", " "),
        code(action.scope_id),
        action.state.value,
        who(action.proposed_by),
    )


FEATURE: Feature[Context] = Feature(
    verb="contain list",
    summary="The containment actions and where each stands. In the room only.",
    model=List,
    examples=("/incident contain list",),
    run=run,
    positional=("incident",),
)
