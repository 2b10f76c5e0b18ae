"""The containment panel: one section an action, what it does, on whom, who decides, what came of it (design §6, law 8).

Decides what an approver is shown and which buttons each state has. Who may decide is `bot.incident.approval`'s.
"""

from __future__ import annotations

from slack_sdk.models.blocks import Block, ButtonElement

from bot.incident.words import ActionState
from bot.incident.work import Action
from bot.slack.buttons import Button, value
from bot.slack.cards.fitting import Entry, fit
from bot.slack.cards.scene import SCOPE_CHARS, Scene
from bot.slack.cards.standing import MARKS, standing, waits_for_a_person
from bot.slack.kit import Message, actions, button, confirm, header, section
from bot.slack.text import Md, code, join, md, safe

S = ActionState
EFFECT_CHARS, WHY_CHARS = 400, 300
DIGEST_CHARS = 16
"""So much of the digest a button carries: a click decides about what was shown, or about nothing."""
RANK = {S.PROPOSED: 0, S.EXECUTING: 0, S.VERIFIED: 1, S.UNKNOWN: 1, S.FAILED: 1, S.APPROVED: 1}
SETTLED = 2
REVERTABLE = frozenset({S.VERIFIED, S.UNKNOWN})
"""What is in force, or may be."""


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
    blocks: list[Block] = [section(_described(scene, action))]
    if pressable := _buttons(scene, action):
        blocks.append(actions(*pressable, block_id=f"action:{action.incident}:{action.index}"))
    folded = md("{} {}: {}", MARKS[action.state], _named(scene, action), action.state.replace("_", " "))
    return Entry(tuple(blocks), folded, RANK.get(action.state, SETTLED))


def _named(scene: Scene, action: Action) -> Md:
    target = md("{} {}", action.scope_kind.replace("_", " "), code(action.scope_id, SCOPE_CHARS))
    return md("*{}. {}* on {}", action.index, scene.playbook.actions[action.kind].title, target)


def _described(scene: Scene, action: Action) -> Md:
    policy = scene.playbook.actions[action.kind]
    lines = [_named(scene, action)]
    if action.alternative_to is not None:
        instead = scene.playbook.actions[action.alternative_to].title
        lines[0] = md("_or, instead of “{}”:_ {}", instead, lines[0])
    lines.append(md("*Reaches:* {}", safe(action.effect, EFFECT_CHARS)))
    if action.state in RANK:
        lines.append(md("*Verified:* {} *Undone:* {}", policy.verified_by, policy.undone_by))
    if action.state is S.PROPOSED:
        lines.append(md("*Why:* {}", safe(action.why, WHY_CHARS)))
    lines.append(standing(scene, action))
    return join("\n", lines)


def _buttons(scene: Scene, action: Action) -> list[ButtonElement]:
    if action.state is S.PROPOSED and not scene.ended:
        return _decide(scene, action)
    pressable: list[ButtonElement] = []
    if waits_for_a_person(action):
        says = f"I carried out action {action.index}"
        pressable.append(
            button("I did it", Button.ATTEST, value(action.incident, action.index), style="primary", says=says)
        )
    if action.state in REVERTABLE and action.reversible and action.revert_asked_at is None:
        pressable.append(_revert(scene, action))
    return pressable


def _decide(scene: Scene, action: Action) -> list[ButtonElement]:
    policy = scene.playbook.actions[action.kind]
    what = md("{} {}", _named(scene, action), safe(action.effect, 140))
    approve = confirm(f"Approve: {policy.title}?", what, yes="Approve")
    decline = confirm(f"Decline: {policy.title}?", what, yes="Decline")
    return [
        button("Approve", Button.APPROVE, _value(action), style="primary", ask=approve, says=f"Approve {action.index}"),
        button("Decline", Button.DECLINE, _value(action), ask=decline, says=f"Decline action {action.index}"),
    ]


def _revert(scene: Scene, action: Action) -> ButtonElement:
    policy = scene.playbook.actions[action.kind]
    ask = confirm(f"Revert: {policy.title}?", md("{} {}", _named(scene, action), policy.undone_by), yes="Revert")
    return button(
        "Revert", Button.REVERT, _value(action), style="danger", ask=ask, says=f"Revert action {action.index}"
    )


def _value(action: Action) -> str:
    """`12|3|ab12cd…`: ids, and the digest of what was shown."""
    return value(action.incident, action.index, action.digest[:DIGEST_CHARS])
