"""The containment panel: one section an action, what it does, on whom, who decides, what came of it (design §6, law 8).

Decides what an approver is shown and which buttons each state has. Who may decide is `bot.incident.approval`'s.
"""

from __future__ import annotations

from slack_sdk.models.blocks import Block, InteractiveElement

from bot.incident.words import ActionState
from bot.incident.work import Action
from bot.slack.buttons import Button, value
from bot.slack.cards.deciding import break_glass, decide, named
from bot.slack.cards.fitting import Entry, fit
from bot.slack.cards.lasting import breaks, instead, lasting, more, reach, revert, revertable
from bot.slack.cards.scene import Scene
from bot.slack.cards.standing import MARKS, standing, waits_for_a_person
from bot.slack.kit import Message, actions, button, header, section
from bot.slack.text import Md, join, md, safe

S = ActionState
EFFECT_CHARS, WHY_CHARS = 400, 300
RANK = {S.PROPOSED: 0, S.EXECUTING: 0, S.VERIFIED: 1, S.UNKNOWN: 1, S.FAILED: 1, S.APPROVED: 1}
SETTLED = 2


def panel(scene: Scene) -> Message:
    incident, open_ones = scene.incident, [one for one in scene.file.actions if one.state is S.PROPOSED]
    head: list[Block] = [header(f"Containment of {scene.name}")]
    entries = [_entry(scene, action) for action in scene.file.actions]
    if not entries:
        head.append(section(_nothing(scene)))
    foot: list[Block] = []
    if not scene.ended:
        propose = button("Propose action", Button.PROPOSE, value(incident.number))
        foot.append(actions(propose, block_id=f"panel:{incident.number}"))
    text = md("Containment of {}: {} to decide, {} in force", scene.name, len(open_ones), len(scene.file.in_force))
    return Message(text, fit(head, entries, foot))


def _nothing(scene: Scene) -> Md:
    policy = scene.playbook.severities[scene.incident.severity]
    return md("Nothing is proposed at {}. {}", scene.severity, policy.containment)


def _entry(scene: Scene, action: Action) -> Entry:
    blocks: list[Block] = [section(described(scene, action))]
    if pressable := _buttons(scene, action):
        blocks.append(actions(*pressable, block_id=f"action:{action.incident}:{action.index}"))
    folded = md("{} {}: {}", MARKS[action.state], named(scene, action), action.state.replace("_", " "))
    return Entry(tuple(blocks), folded, RANK.get(action.state, SETTLED))


def described(scene: Scene, action: Action) -> Md:
    """All that an approver is shown of an action, here and in the direct message to the commander."""
    policy = scene.playbook.actions[action.kind]
    lines = [named(scene, action)]
    if action.alternative_to is not None:
        other = scene.playbook.actions[action.alternative_to].title
        lines[0] = md("_or, instead of “{}”:_ {}", other, lines[0])
    lines.append(md("*Reaches:* {}", safe(action.effect, EFFECT_CHARS)))
    if action.state is S.PROPOSED:
        lines += [reach(action), breaks(scene, action), md("*Why:* {}", safe(action.why, WHY_CHARS))]
    if action.state in RANK:
        lines.append(md("*Verified:* {} *Undone:* {}", policy.verified_by, policy.undone_by))
    lines.append(standing(scene, action))
    if (more_said := instead(scene, action) if action.state is S.PROPOSED else lasting(action)) is not None:
        lines.append(more_said)
    return join("\n", lines)


def _buttons(scene: Scene, action: Action) -> list[InteractiveElement]:
    if action.state is S.PROPOSED and not scene.ended:
        return [*decide(scene, action), break_glass(action)]
    pressable: list[InteractiveElement] = []
    if waits_for_a_person(action):
        says = f"I carried out action {action.index}"
        pressable.append(
            button("I did it", Button.ATTEST, value(action.incident, action.index), style="primary", says=says)
        )
    if revertable(action):
        pressable += [revert(scene, action), more(action)]
    return pressable
