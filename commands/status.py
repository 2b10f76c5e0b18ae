"""`/incident status`: where an incident stands. The details inside its room, the public line everywhere else."""

from __future__ import annotations

from collections import Counter

from bot.cases.context import Context
from bot.incident.casefile import CaseFile
from bot.incident.lifecycle import NEXT_STEP
from bot.incident.words import StepState
from bot.slack.buttons import Button, value
from bot.slack.feature import Answer, Asked, Feature, Shown
from bot.slack.kit import actions, button, section
from bot.slack.text import Md, code, join, md, mention
from commands.list import line
from commands.room import Verb, seen


class Status(Verb):
    pass


async def run(ctx: Context, asked: Asked, form: Status) -> Answer:
    found = await seen(ctx, asked, form.incident)
    case = found.case
    public = line(case.incident, case.commander, case.now)
    if found.inside:
        return inside(case, public)
    if not asked.full_member:
        return public
    press = button("Join", Button.JOIN, value(case.incident.number))
    return Shown(public, [section(md("{}\nThe details are in its room.", public)), actions(press)])


def inside(case: CaseFile, public: Md) -> Md:
    incident = case.incident
    ticked = sum(step.state is not StepState.OPEN for step in case.steps)
    lines = [public, md("{}", incident.title)]
    if incident.trigger:
        lines.append(md("Trigger: {}", code(incident.trigger)))
    if incident.subject_id:
        lines.append(md("Subject: {} {}", incident.subject_kind.replace("_", " "), code(incident.subject_id)))
    held = [md("{} {}", role.replace("_", " "), mention(who)) for role, who in case.holders.items()]
    if held:
        lines.append(md("Roles: {}", join(", ", held)))
    lines.append(md("Steps: {} of {} ticked", ticked, len(case.steps)))
    states = Counter(action.state.value for action in case.actions)
    if states:
        lines.append(md("Containment: {}", ", ".join(f"{count} {state}" for state, count in states.items())))
    lines.append(md("Minute {} since it was declared. {}", case.minute, Md(NEXT_STEP[incident.status])))
    return join("\n", lines)


FEATURE: Feature[Context] = Feature(
    verb="status",
    summary="Where an incident stands. Details inside its room.",
    model=Status,
    examples=("/incident status", "/incident status INC-12"),
    run=run,
    positional=("incident",),
    guests=True,
)
