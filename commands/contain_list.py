"""`/incident contain list`: every containment action, where it stands and who may decide. Inside the room only."""

from __future__ import annotations

from bot.cases.context import Context
from bot.slack.cards.deciding import named
from bot.slack.cards.scene import Scene
from bot.slack.cards.standing import standing
from bot.slack.feature import Asked, Feature
from bot.slack.text import join, md, who
from commands.room import Verb, details

MOST = 25


class List(Verb):
    pass


async def run(ctx: Context, asked: Asked, form: List) -> str:
    case = await details(ctx, asked, form.incident)
    if not case.actions:
        return md("No containment is proposed for {} yet: `/incident contain propose`.", case.incident.name)
    scene, latest = Scene(case, ctx.playbook, speed=ctx.speed), case.actions[-MOST:]
    older = [md("… and {} before", len(case.actions) - MOST)] if len(case.actions) > MOST else []
    lines = [
        md("{} · proposed by {} · {}", named(scene, one), who(one.proposed_by), standing(scene, one)) for one in latest
    ]
    return join("\n", [*older, *lines])


FEATURE: Feature[Context] = Feature(
    verb="contain list",
    summary="The containment actions, where each stands and who may decide. In the room only.",
    model=List,
    examples=("/incident contain list",),
    run=run,
    positional=("incident",),
)
