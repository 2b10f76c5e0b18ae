"""The checklist of one phase: one section a step, Done beside it and an overflow for the rest (design §6).

Decides how a step looks open, done and skipped. Which steps there are is the playbook's; who may tick is the case's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from slack_sdk.models.blocks import Block, ButtonElement, OverflowMenuElement

from bot.incident.outward import SurfaceKind
from bot.incident.words import Phase, StepButton, StepState
from bot.incident.work import Step
from bot.slack.buttons import Button, value
from bot.slack.cards.fitting import Entry, fit
from bot.slack.cards.scene import Scene
from bot.slack.kit import Message, actions, button, context, header, option, overflow, section
from bot.slack.text import Md, join, md, safe, when, who

STEP_CHARS, NOTE_CHARS, HINT_CHARS = 300, 200, 200
MORE = {"assign": "Assign to me", "skip": "Skip with a reason", "note": "Add a note", "undo": "Undo"}
"""What the overflow of a step offers; its value is `12|step.id|assign`."""
BEGIN: dict[Phase, LiteralString] = {
    Phase.CONTAINMENT: "Begin containment",
    Phase.INVESTIGATION: "Begin investigation",
    Phase.REMEDIATION: "Begin remediation",
}
OPEN, DECIDED = 0, 1
"""Ranks: decided steps are folded first, open ones only where a checklist is very long, the last ones first."""


def checklist(scene: Scene) -> Message:
    phase = Phase(scene.part)
    steps = scene.file.of_phase(phase)
    decided = sum(step.state is not StepState.OPEN for step in steps)
    title, intro = scene.playbook.checklists[phase].title, scene.playbook.checklists[phase].intro
    progress = md("{} of {} done", decided, len(steps))
    head: list[Block] = [header(f"{scene.name} · {title}"), context(md("*{}* · {}", progress, intro))]
    if not steps:
        head.append(section(Md("There is nothing to do in this phase.")))
    return Message(
        md("{} checklist, {}: {}", scene.name, title, progress), fit(head, _entries(scene, steps), _foot(scene))
    )


def _foot(scene: Scene) -> list[Block]:
    """The next phase can begin before this one is done: attackers do not wait for the paperwork."""
    upcoming, incident = Phase(scene.part).next, scene.incident
    if upcoming is None or scene.ended or scene.file.surface(SurfaceKind.CHECKLIST, upcoming) is not None:
        return []
    pressed = button(BEGIN[upcoming], Button.PHASE, value(incident.number, upcoming.value))
    return [actions(pressed, block_id=f"phase:{incident.number}:{scene.part}")]


def _entries(scene: Scene, steps: Sequence[Step]) -> list[Entry]:
    entries, above = [], None
    for step in steps:
        title = md("*{}*\n", step.section) if step.section != above else Md("")
        entries.append(_open(scene, step, title) if step.state is StepState.OPEN else _decided(step, title))
        above = step.section
    return entries


def _open(scene: Scene, step: Step, title: Md) -> Entry:
    spec = scene.playbook.all_steps.get(step.step_id)
    lines = [md("{}{}", title, safe(step.text, STEP_CHARS))]
    if spec is not None and spec.hint:
        lines.append(md("_{}_", safe(spec.hint, HINT_CHARS)))
    if step.note:
        lines.append(md("Note: {}", safe(step.note, NOTE_CHARS)))
    if about := _about(scene, step):
        lines.append(about)
    blocks: list[Block] = [section(join("\n", lines))]
    if not scene.ended:
        pressable = [*_buttons(step), _more(step, "assign", "skip", "note")]
        blocks.append(actions(*pressable, block_id=f"step:{step.incident}:{step.step_id}"))
    return Entry(tuple(blocks), md("{}◻️ {}", title, safe(step.text, STEP_CHARS)), OPEN)


def _about(scene: Scene, step: Step) -> Md:
    parts = [scene.in_charge(step.role, step.owner)] if step.role else [who(step.owner)] if step.owner else []
    if step.due_at is not None:
        parts.append(scene.due(step.due_at))
    return join(" · ", parts)


def _buttons(step: Step) -> list[ButtonElement]:
    done = button("Done", Button.STEP_DONE, value(step.incident, step.step_id), says=f"Done: {step.text}")
    if step.button is StepButton.PROPOSE_ACTION and step.action is not None:
        proposal = value(step.incident, step.step_id, step.action.value)
        return [done, button("Propose action", Button.STEP_PROPOSE, proposal)]
    if step.button is StepButton.ATTACH_EVIDENCE:
        return [done, button("Add evidence", Button.STEP_EVIDENCE, value(step.incident, step.step_id))]
    if step.button is StepButton.START_VALIDATION:
        return [done, button("Start validation", Button.STEP_VALIDATE, value(step.incident, step.step_id))]
    if step.button is StepButton.RESTORE:
        return [done, button("Show what is in force", Button.STEP_RESTORE, value(step.incident, step.step_id))]
    return [done]


def _more(step: Step, *offered: str) -> OverflowMenuElement:
    return overflow(Button.STEP_MORE, [option(MORE[one], value(step.incident, step.step_id, one)) for one in offered])


def _decided(step: Step, title: Md) -> Entry:
    mark, said = ("✅", "done") if step.state is StepState.DONE else ("⏭", "skipped")
    by = md(" by {}", who(step.decided_by)) if step.decided_by else Md("")
    at = md(" at {}", when(step.decided_at)) if step.decided_at else Md("")
    struck = md("{}{} ~{}~", title, mark, safe(step.text, STEP_CHARS))
    note = md(": {}", safe(step.note, NOTE_CHARS)) if step.note else Md("")
    full = section(
        md("{}\n{}{}{}{}", struck, said, by, at, note),
        accessory=_more(step, "note", "undo"),
        block_id=f"step:{step.incident}:{step.step_id}",
    )
    return Entry((full,), md("{}{}{}", struck, by, at), DECIDED)
