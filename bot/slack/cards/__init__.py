"""Cards: state in, blocks out. Pure; one file a surface.

Decides which function renders which surface. Where it is shown, and whether it must be shown anew, is delivery's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.incident.casefile import CaseFile
from bot.incident.outward import SurfaceKind
from bot.playbook import Playbook
from bot.slack.cards.announcement import announcement
from bot.slack.cards.card import card
from bot.slack.cards.checklist import checklist
from bot.slack.cards.decisions import decisions
from bot.slack.cards.panel import panel
from bot.slack.cards.scene import Scene
from bot.slack.cards.topic import topic
from bot.slack.cards.validation import validation
from bot.slack.kit import Message, message

RENDERERS: Mapping[SurfaceKind, Callable[[Scene], Message]] = {
    SurfaceKind.CARD: card,
    SurfaceKind.PANEL: panel,
    SurfaceKind.CHECKLIST: checklist,
    SurfaceKind.ANNOUNCEMENT: announcement,
    SurfaceKind.DECISIONS: decisions,
    SurfaceKind.VALIDATION: validation,
    SurfaceKind.TOPIC: lambda scene: message(topic(scene)),
}


def render(kind: SurfaceKind, part: str, file: CaseFile, playbook: Playbook, *, speed: float = 1.0) -> Message:
    """`part` as in `Surface`. Of a topic only `text` counts."""
    return RENDERERS[kind](Scene(file, playbook, part, speed))


__all__ = ["Scene", "render"]
