"""The room's topic: number, severity, status, trigger, commander. Nothing that an attacker wrote.

Decides the one line. A topic is shown, never read back (design law 1).
"""

from __future__ import annotations

from bot.slack.cards.card import mention_or_nobody
from bot.slack.cards.scene import Scene
from bot.slack.text import Md, clip_md, join, md

TOPIC_CHARS = 250


def topic(scene: Scene) -> Md:
    known = scene.playbook.triggers.get(scene.incident.trigger or "")
    parts = [md("{} · {} · {}", scene.name, scene.severity, scene.status)]
    if known is not None:
        parts.append(md("{}", known.title))
    parts.append(md("commander: {}", mention_or_nobody(scene.file.commander)))
    return clip_md(join(" · ", parts), TOPIC_CHARS)
