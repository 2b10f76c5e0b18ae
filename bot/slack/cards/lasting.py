"""What an action reaches, breaks and how long it is to last, in lines; and the buttons by which it is taken back or kept.

Decides the words. What is not known is said to be, never counted as zero (design law 12). Who may press is the cases'.
"""

from __future__ import annotations

from typing import LiteralString

from slack_sdk.models.blocks import Block, ButtonElement, OverflowMenuElement

from bot.incident.words import ActionState
from bot.incident.work import Action
from bot.slack.buttons import Button, value
from bot.slack.cards.deciding import named, shown_value
from bot.slack.cards.scene import Scene
from bot.slack.cards.standing import standing
from bot.slack.kit import Message, actions, button, confirm, context, header, option, overflow, section
from bot.slack.text import Md, join, md, safe, when, who

S = ActionState
BREAKS_CHARS, SOURCE_CHARS, REASON_CHARS, STANDING_MOST = 200, 120, 200, 20
REVERTABLE = frozenset({S.VERIFIED, S.UNKNOWN})
"""What is in force, or may be."""
HELD = REVERTABLE | {S.APPROVED, S.EXECUTING}
TIMES: dict[str, LiteralString] = {
    "60": "Ask in 1 hour whether to revert",
    "240": "Ask in 4 hours whether to revert",
    "1440": "Ask in 1 day whether to revert",
    "off": "No end time",
    "keep": "Keep it, with a reason",
}
"""What the overflow of an action in force offers; its value is `12|3|240`."""


def reach(action: Action) -> Md:
    """`Last hour: 41 calls by 1 subject (the gate's decisions of the last hour)`, or that it is not known."""
    calls, subjects = action.blast_calls, action.blast_subjects
    if calls is None and subjects is None:
        return Md("*Last hour:* not known how much it would have touched")
    counted = md("{} {}", calls, "call" if calls == 1 else "calls") if calls is not None else Md("calls not known")
    by = md(" by {} {}", subjects, "subject" if subjects == 1 else "subjects") if subjects is not None else Md("")
    source = md(" ({})", safe(action.blast_source, SOURCE_CHARS)) if action.blast_source else Md("")
    asked = md(", as of {}", when(action.blast_at)) if action.blast_at is not None else Md("")
    return md("*Last hour:* {}{}{}{}", counted, by, source, asked)


def breaks(scene: Scene, action: Action) -> Md:
    return md("*Breaks:* {}", safe(scene.playbook.actions[action.kind].breaks, BREAKS_CHARS))


def instead(scene: Scene, action: Action) -> Md | None:
    """Of two alternatives one is enough: whoever looks at the other is told which holds."""
    for other in scene.file.actions:
        paired = other.kind is action.alternative_to or other.alternative_to is action.kind
        if paired and other.id != action.id and other.state in HELD:
            title = scene.playbook.actions[other.kind].title
            return md("_Not needed while {}. {} holds; approve it only where that is not enough._", other.index, title)
    return None


def lasting(action: Action) -> Md | None:
    """How long what is in force is to stay so; None where nothing is."""
    if action.state not in REVERTABLE or action.revert_asked_at is not None:
        return None
    if not action.reversible:
        return Md("*Stays:* it cannot be undone")
    parts = []
    if action.kept_at is not None and action.kept_by:
        because = safe(action.kept_because or "", REASON_CHARS)
        parts.append(md("kept by {} at {}: {}", who(action.kept_by), when(action.kept_at), because))
    if action.temporary_until is not None:
        parts.append(md("until {}, then the room is asked", when(action.temporary_until, "both")))
    return md("*Temporary:* {}", join("; ", parts) if parts else Md("no end time; the resolution asks about it"))


def revert(scene: Scene, action: Action) -> ButtonElement:
    policy = scene.playbook.actions[action.kind]
    ask = confirm(f"Revert: {policy.title}?", md("{} {}", named(scene, action), policy.undone_by), yes="Revert")
    return button(
        "Revert", Button.REVERT, shown_value(action), style="danger", ask=ask, says=f"Revert action {action.index}"
    )


def keep(action: Action) -> ButtonElement:
    return button(
        "Keep", Button.KEEP, value(action.incident, action.index), says=f"Keep action {action.index} in force"
    )


def more(action: Action) -> OverflowMenuElement:
    offered = [option(label, value(action.incident, action.index, picked)) for picked, label in TIMES.items()]
    return overflow(Button.ACTION_MORE, offered)


def revertable(action: Action) -> bool:
    return action.state in REVERTABLE and action.reversible and action.revert_asked_at is None


def restore(scene: Scene) -> Message:
    """Everything in force, the latest first, with Revert and Keep for each: the way back to normal."""
    held = sorted(scene.file.in_force, key=lambda one: (one.executed_at or one.proposed_at, one.index), reverse=True)
    blocks: list[Block] = [header(f"Back to normal: {scene.name}")]
    if not held:
        blocks.append(section(Md("Nothing is in force. Press *Done* on the step once everything works as it should.")))
    for action in held[:STANDING_MOST]:
        lines = [named(scene, action), standing(scene, action), *([line] if (line := lasting(action)) else [])]
        blocks.append(section(join("\n", lines)))
        if revertable(action):
            block_id = f"restore:{action.incident}:{action.index}"
            blocks.append(actions(revert(scene, action), keep(action), block_id=block_id))
    if len(held) > STANDING_MOST:
        blocks.append(context(md("… and {} more, in the containment panel.", len(held) - STANDING_MOST)))
    return Message(md("{}: {} in force", scene.name, len(held)), tuple(blocks))
