"""What a post's arguments name, read once: an action by its index, lists of names. Arguments are ids and short names.

Decides nothing; an argument that names nothing gives None or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.incident.columns import Json
from bot.incident.work import Action
from bot.slack.cards.scene import Scene


def action_of(scene: Scene, args: Json) -> Action | None:
    return next((one for one in scene.file.actions if one.index == args.get("action")), None)


def strings(args: Json, name: str) -> Sequence[str]:
    given = args.get(name)
    return [one for one in given if isinstance(one, str)] if isinstance(given, list | tuple) else []
