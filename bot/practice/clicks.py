"""Presses and choices in messages, modals and Home tabs: from what a person does to the payload and its ack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.practice import display, fields, payloads, sight
from bot.practice.fields import Value
from bot.practice.shapes import BadAck, CannotDo, Json
from bot.practice.state import Channel, Message, Placed, Typed, User, View
from bot.practice.world import World


class Delivery(Protocol):
    """The way to the app: Socket Mode or HTTP."""

    async def ask(self, kind: str, payload: Json, *, accepts: bool) -> Json:
        """Send an interaction and wait for its acknowledgement; raises ``DidNotRespond``."""
        ...

    def tell(self, payload: Json) -> None:
        """Send an event."""
        ...


@dataclass
class Desk:
    """What every verb needs: the world, the way to the app, and which commands the app registered."""

    world: World
    socket: Delivery
    commands: frozenset[str] | None = None
    """None: any command is taken to be the app's"""


@dataclass
class Place:
    """Where an element stands: in a message or in a view."""

    blocks: list[Json]
    typed: Typed
    channel: Channel | None = None
    message: Message | None = None
    view: View | None = None


def place_of(desk: Desk, user: User, channel: Channel | str | None, target: Message | View | str | None) -> Place:
    """Without a channel it is a view: the given one or the modal on top."""
    if isinstance(target, View) or (channel is None and not isinstance(target, Message)):
        view = sight.top_view(desk.world, user, target)
        return Place(view.blocks, view.typed, view=view)
    assert target is not None and not isinstance(target, View)
    found, message = sight.message_of(desk.world, user, channel, target)
    return Place(message.blocks, message.typed.setdefault(user.id, {}), channel=found, message=message)


def confirmation(placed: Placed) -> dict[str, str] | None:
    """The texts of the confirmation dialog that Slack shows first, or None."""
    dialog = placed.element.get("confirm")
    if not isinstance(dialog, dict):
        return None
    return {key: dialog[key]["text"] for key in ("title", "text", "confirm", "deny")}


async def send(desk: Desk, user: User, place: Place, action: Json) -> None:
    """Deliver one action and wait for its ack."""
    world = desk.world
    if place.view is not None:
        view = place.view
        trigger = world.tickets.trigger(user.id, view.id if view.type == "modal" else None)
        body = payloads.view_action(user, view, action, fields.state(view.blocks, view.typed), trigger)
    else:
        assert place.channel is not None and place.message is not None
        channel, message = place.channel, place.message
        hidden = message.ephemeral_to is not None
        hook = world.tickets.hook(world.url, "actions", user.id, channel.id, message_ts=message.ts, ephemeral=hidden)
        state = fields.state(message.blocks, place.typed)
        message.typed[user.id] = dict(state)
        body = payloads.message_action(
            user, channel, message, action, hook=hook, trigger=world.tickets.trigger(user.id)
        )
    await desk.socket.ask("interactive", body, accepts=False)


async def press(
    desk: Desk, user: User, place: Place, action_id: str, value: str | int | None, *, confirm: bool
) -> bool:
    """Press a button; False where the person backed out of its confirmation dialog."""
    placed = sight.element_of(place.blocks, action_id, value)
    if placed.element["type"] not in ("button", "workflow_button", "icon_button"):
        raise CannotDo(f"{action_id!r} is a {placed.element['type']}, not a button")
    if confirmation(placed) is not None and not confirm:
        return False
    ts = desk.world.next_ts()
    await send(desk, user, place, fields.action(placed.block, placed.element, {}, ts))
    return True


async def choose(
    desk: Desk, user: User, place: Place, action_id: str, value: Value, *, nth: int | None, confirm: bool
) -> bool:
    """Choose in a menu, picker or set of checkboxes; False where the person backed out."""
    placed = sight.element_of(place.blocks, action_id, nth)
    block, element = placed
    if element["type"] == "overflow":
        chosen = fields.entry({**element, "type": "static_select"}, value, resolver(desk))
        change: Json = {"selected_option": chosen["selected_option"]}
    else:
        offered = await suggestions(desk, user, place, placed, str(value)) if "external" in element["type"] else None
        entry = fields.entry(element, value, resolver(desk), offered)
        change = {key: one for key, one in entry.items() if key != "type"}
        if confirmation(placed) is None or confirm:
            place.typed[(block["block_id"], element["action_id"])] = entry
    if confirmation(placed) is not None and not confirm:
        return False
    desk.world.touch()
    if block["type"] == "input" and not block.get("dispatch_action"):
        return True
    await send(desk, user, place, fields.action(block, element, change, desk.world.next_ts()))
    return True


async def suggestions(desk: Desk, user: User, place: Place, placed: Placed, typed: str) -> list[Json]:
    """Ask the app for the options of an external select; raises ``BadAck`` where they are malformed."""
    if place.view is not None:
        shown = display.view(place.view, fields.state(place.blocks, place.typed))
        where: Json = {"container": {"type": "view", "view_id": place.view.id}, "view": shown}
    else:
        assert place.message is not None and place.channel is not None
        where = {
            "container": {"type": "message", "message_ts": place.message.ts, "channel_id": place.channel.id},
            "channel": {"id": place.channel.id, "name": place.channel.name},
            "message": display.message(place.message),
        }
    body = payloads.suggestion(user, placed.block, placed.element, typed, where)
    answer = await desk.socket.ask("interactive", body, accepts=True)
    options = answer.get("options")
    if options is None:
        options = [one for group in answer.get("option_groups", []) for one in group.get("options", [])]
    if not isinstance(options, list) or len(options) > 100:
        raise BadAck("the app answered no list of at most 100 options")
    return options


def resolver(desk: Desk) -> fields.Resolve:
    """Names of people and channels to ids, as their menus offer them."""

    def resolve(kind: str, name: str) -> str:
        if kind == "file":
            return _uploaded(desk, name)
        found = desk.world.user(name) if kind == "user" else desk.world.channel(name)
        if found is None:
            raise CannotDo(f"there is no {kind} {name!r} to choose")
        return found.id

    return resolve


def _uploaded(desk: Desk, file_id: str) -> str:
    if (file := desk.world.files.get(file_id)) is None or file.deleted:
        raise CannotDo(f"there is no file {file_id!r} to choose")
    return file.id
