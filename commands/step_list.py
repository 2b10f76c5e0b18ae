"""`/incident step list`: what is still open, with the ids that the other step verbs take. Inside the room only."""

from __future__ import annotations

from bot.cases.context import Context
from bot.incident.words import StepState
from bot.incident.work import Step
from bot.slack.feature import Asked, Feature
from bot.slack.text import Md, code, join, md, mention, safe, when
from commands.room import Verb, details

MOST = 20
TEXT_CHARS = 110


class List(Verb):
    all: bool = False


async def run(ctx: Context, asked: Asked, form: List) -> str:
    case = await details(ctx, asked, form.incident)
    wanted = [step for step in case.steps if form.all or step.state is StepState.OPEN]
    if not wanted:
        return md("Every step of {} is done or skipped.", case.incident.name)
    lines = [line(step) for step in wanted[:MOST]]
    if len(wanted) > MOST:
        lines.append(md("… and {} more in the checklists of the room.", len(wanted) - MOST))
    return join("\n", lines)


def line(step: Step) -> Md:
    mark = {StepState.OPEN: "◻️", StepState.DONE: "✅", StepState.SKIPPED: "⏭"}[step.state]
    owner = md(" · {}", mention(step.owner)) if step.owner else Md("")
    due = md(" · due {}", when(step.due_at)) if step.due_at and step.state is StepState.OPEN else Md("")
    return md("{} {} {}{}{}", mark, code(step.step_id), safe(step.text, TEXT_CHARS), owner, due)


FEATURE: Feature[Context] = Feature(
    verb="step list",
    summary="The open steps and their ids. In the room only.",
    model=List,
    examples=("/incident step list", "/incident step list --all"),
    run=run,
    positional=("incident",),
)
