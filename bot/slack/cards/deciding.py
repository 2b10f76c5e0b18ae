"""What an approver presses about an action: Approve, Decline, break-glass; in the panel and in a direct message alike.

Decides the buttons, and that each is bound to exactly what stood beside it. Who may decide is `bot.incident.approval`'s.
"""

from __future__ import annotations

from slack_sdk.models.blocks import ButtonElement, OverflowMenuElement

from bot.incident.work import Action
from bot.slack.buttons import Button, value
from bot.slack.cards.scene import SCOPE_CHARS, Scene
from bot.slack.kit import button, confirm, option, overflow
from bot.slack.text import Md, code, md, safe

DIGEST_CHARS = 16
"""So much of the digest a button carries: a click decides about what was shown, or about nothing."""


def named(scene: Scene, action: Action) -> Md:
    target = md("{} {}", action.scope_kind.replace("_", " "), code(action.scope_id, SCOPE_CHARS))
    return md("*{}. {}* on {}", action.index, scene.playbook.actions[action.kind].title, target)


def shown_value(action: Action) -> str:
    """`12|3|ab12cd…`: ids, and the digest of what was shown."""
    return value(action.incident, action.index, action.digest[:DIGEST_CHARS])


def decide(scene: Scene, action: Action) -> list[ButtonElement]:
    policy = scene.playbook.actions[action.kind]
    what = md("{} {}", named(scene, action), safe(action.effect, 140))
    approve = confirm(f"Approve: {policy.title}?", what, yes="Approve")
    decline = confirm(f"Decline: {policy.title}?", what, yes="Decline")
    shown, index = shown_value(action), action.index
    return [
        button("Approve", Button.APPROVE, shown, style="primary", ask=approve, says=f"Approve {index}"),
        button("Decline", Button.DECLINE, shown, ask=decline, says=f"Decline action {index}"),
    ]


def break_glass(action: Action) -> OverflowMenuElement:
    """In the room only, and not where Approve would be pressed by mistake."""
    return overflow(Button.BREAK_GLASS, [option("Break glass…", shown_value(action))])
