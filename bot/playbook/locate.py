"""Paths into a playbook, such as `steps/triage.scope` or `review/action_items/regression_test`.

Decides how a path is read: each part is a field, a key, an item's `id` (or `name`), or the position in a list. Used by
the pitfalls (each names what answers it) and by the test that counts the mission's items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import Enum

from pydantic import BaseModel

from bot.playbook.playbook import Playbook


class Nowhere(LookupError):
    """The path leads nowhere. `part` is the first part that does not exist, `known` what stands there instead."""

    def __init__(self, part: str, known: tuple[str, ...]) -> None:
        super().__init__(part)
        self.part, self.known = part, known


def locate(playbook: Playbook, path: str) -> object:
    """What stands at `path`. Raises Nowhere. `steps/…` is short for `all_steps/…`."""
    here: object = playbook
    parts = path.split("/")
    if parts[0] == "steps":
        parts[0] = "all_steps"
    for part in parts:
        around = _children(here)
        if part not in around:
            raise Nowhere(part, tuple(around))
        here = around[part]
    return here


def _children(value: object) -> dict[str, object]:
    if isinstance(value, Playbook):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, BaseModel):
        return {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {_word(key): item for key, item in value.items()}
    if isinstance(value, tuple):
        named = {str(index): item for index, item in enumerate(value)}
        for item in value:
            name = getattr(item, "id", None) or (item if isinstance(item, str) else None)
            if name is not None:
                named[_word(name)] = item
        return named
    return {}


def _word(key: object) -> str:
    return str(key.value) if isinstance(key, Enum) else str(key)
