"""`/incident step`: one step with its state and note; and the overflow beside Done, which leads to the other step verbs."""

from __future__ import annotations

from pydantic import Field

from bot.cases.context import Context
from bot.incident.errors import NotFound, Refused
from bot.slack.buttons import Button
from bot.slack.feature import Answer, Asked, Feature
from bot.slack.text import join, quoted
from commands import step_assign, step_list, step_note, step_skip, step_undo
from commands.room import Verb, details, number


class Step(Verb):
    step: str = Field(min_length=1, max_length=120)


async def run(ctx: Context, asked: Asked, form: Step) -> str:
    case = await details(ctx, asked, form.incident)
    found = case.step(form.step.casefold())
    if found is None:
        raise NotFound(f"{case.incident.name} has no such step. `/incident step list` shows them.")
    return join("\n", [step_list.line(found), *([quoted(found.note)] if found.note else [])])


async def more(ctx: Context, asked: Asked) -> Answer:
    """`step.id|skip`: what was picked from the overflow."""
    step, _, picked = asked.value.partition("|")
    which = await number(ctx, asked)
    match picked:
        case "assign":
            return await step_assign.run(ctx, asked, step_assign.Assign(step=step))
        case "undo":
            return await step_undo.run(ctx, asked, step_undo.Undo(step=step))
        case "skip":
            return step_skip.form_of(which, step)
        case "note":
            return step_note.form_of(which, step)
        case _:
            raise Refused("That choice is from an older version of Firsthour. Use `/incident help step`.")


FEATURE: Feature[Context] = Feature(
    verb="step",
    summary="Show one step.",
    model=Step,
    examples=("/incident step triage.scope",),
    run=run,
    positional=("step",),
    buttons={Button.STEP_MORE: more},
)
