"""The stack of modals and the Home tab: opening, pushing, replacing, closing. Decides ids, hashes and the stack of 3."""

from __future__ import annotations

import secrets
from typing import Any

from bot.practice import display
from bot.practice.shapes import Json, SlackError
from bot.practice.state import View, elements_of
from bot.practice.world import World

STACK = 3


def _new_hash(world: World) -> str:
    return f"{int(world.now())}.{secrets.token_hex(4)}"


def _make(world: World, user: str, definition: Json, previous: View | None) -> View:
    view_id = world.next_id("V")
    raw: dict[str, Any] = {**definition, "blocks": display.stamp(definition["blocks"], world)}
    view = View(
        view_id,
        user,
        raw,
        _new_hash(world),
        previous.root_id if previous else view_id,
        previous.id if previous else None,
    )
    world.views[view_id] = view
    return view


def open_modal(world: World, user: str, definition: Json) -> View:
    """A new modal, alone on the person's screen."""
    close_all(world, user)
    view = _make(world, user, definition, None)
    world.stacks[user] = [view.id]
    world.touch()
    return view


def push(world: World, user: str, definition: Json) -> View:
    """A modal on top of the others; raises ``push_limit_reached``."""
    stack = world.stack(user)
    if len(stack) >= STACK:
        raise SlackError("push_limit_reached")
    view = _make(world, user, definition, stack[-1] if stack else None)
    world.stacks.setdefault(user, []).append(view.id)
    world.touch()
    return view


def replace(world: World, view: View, definition: Json) -> None:
    """New content for a view that is open; typed values stay where their element stays."""
    view.raw = {**definition, "blocks": display.stamp(definition["blocks"], world)}
    view.hash = _new_hash(world)
    view.errors = {}
    kept = {(str(block.get("block_id")), str(element.get("action_id"))) for block, element in elements_of(view.blocks)}
    view.typed = {key: entry for key, entry in view.typed.items() if key in kept}
    world.touch()


def close(world: World, view: View) -> None:
    """Close one modal; the one below shows again."""
    stack = world.stacks.get(view.user, [])
    if view.id in stack:
        stack.remove(view.id)
    view.open = False
    world.touch()


def close_all(world: World, user: str) -> None:
    """Close every modal of a person."""
    for view_id in world.stacks.pop(user, []):
        world.views[view_id].open = False
    world.touch()


def publish(world: World, user: str, definition: Json) -> View:
    """A new Home tab in place of the old one."""
    before = world.homes.get(user)
    if before:
        view = world.views[before]
        replace(world, view, definition)
        return view
    view = _make(world, user, definition, None)
    world.homes[user] = view.id
    world.touch()
    return view
