"""Modals from a person's side: filling in, submitting, closing, and what the app's answer does."""

from __future__ import annotations

from typing import Any, NamedTuple

from bot.practice import blocks as blockkit
from bot.practice import fields, modals, payloads, sight
from bot.practice.clicks import Desk, resolver
from bot.practice.fields import Value
from bot.practice.shapes import BadAck, CannotDo, Json, SlackError
from bot.practice.state import Placed, User, View, elements_of


class SubmitResult(NamedTuple):
    """What a person sees after pressing a modal's submit button."""

    closed: bool
    """the submitted modal is gone"""
    errors: dict[str, str]
    """shown under the inputs, by block id"""
    view: View | None
    """the modal now on top"""


def _field(view: View, block_id: str) -> Placed:
    found = [
        one
        for one in elements_of(view.blocks)
        if one.block.get("block_id") == block_id and one.element["type"] in fields.STATEFUL
    ]
    if not found:
        there = sorted({str(one.block.get("block_id")) for one in elements_of(view.blocks)})
        raise CannotDo(f"there is no field {block_id!r}; there are: {', '.join(there) or 'none'}")
    return found[0]


def fill(desk: Desk, view: View, values: dict[str, Value]) -> None:
    """Type into fields without submitting."""
    for block_id, value in values.items():
        block, element = _field(view, block_id)
        key = (str(block["block_id"]), str(element["action_id"]))
        offered = None
        if "external" in element["type"] and isinstance(view.typed.get(key), dict):
            continue
        view.typed[key] = fields.entry(element, value, resolver(desk), offered)
    desk.world.touch()


def _complete(view: View) -> None:
    """Slack does not send a form whose required inputs are empty."""
    state = fields.state(view.blocks, view.typed)
    for block_id, block in view.inputs().items():
        entry = state[(block_id, str(block["element"]["action_id"]))]
        if not block.get("optional") and fields.empty(entry):
            raise CannotDo(f"{block['label']['text']!r} ({block_id}) is required")


async def submit(desk: Desk, user: User, ref: View | str | None, values: dict[str, Value]) -> SubmitResult:
    """Fill in and submit the modal on top."""
    view = sight.top_view(desk.world, user, ref)
    if view.type != "modal" or not view.raw.get("submit"):
        raise CannotDo("this view has no submit button")
    fill(desk, view, values)
    _complete(view)
    view.errors = {}
    state = fields.state(view.blocks, view.typed)
    trigger = desk.world.tickets.trigger(user.id, view.id)
    body = payloads.submission(user, view, state, trigger, _response_urls(desk, user, view, state))
    answer = await desk.socket.ask("interactive", body, accepts=True)
    try:
        errors = _apply(desk, user, view, answer)
    except SlackError as refused:
        raise BadAck(f"Slack refuses the app's answer: {refused.code} {refused.extra}") from refused
    desk.world.touch()
    stack = desk.world.stack(user.id)
    return SubmitResult(not view.open, errors, stack[-1] if stack else None)


def _apply(desk: Desk, user: User, view: View, answer: Json) -> dict[str, str]:
    """Do what the acknowledgement asks for; answers the errors to show."""
    world, action = desk.world, answer.get("response_action")
    match action:
        case None:
            if answer:
                raise BadAck(f"an answer without response_action: {sorted(answer)}")
            modals.close(world, view)
        case "clear":
            modals.close_all(world, user.id)
        case "errors":
            view.errors = _errors(view, answer.get("errors"))
            return view.errors
        case "update":
            blockkit.view(answer.get("view"), "modal")
            modals.replace(world, view, answer["view"])
        case "push":
            blockkit.view(answer.get("view"), "modal")
            modals.push(world, user.id, answer["view"])
        case _:
            raise BadAck(f"unknown response_action {action!r}")
    return {}


def _errors(view: View, errors: Any) -> dict[str, str]:
    if not isinstance(errors, dict) or not errors:
        raise BadAck("an errors answer without errors")
    for block_id in errors:
        if block_id not in view.inputs():
            raise BadAck(f"the errors answer names {block_id!r}, which is no input block of this modal")
    return {str(block_id): str(text) for block_id, text in errors.items()}


def _response_urls(desk: Desk, user: User, view: View, state: Any) -> list[Json]:
    found: list[Json] = []
    for block, element in elements_of(view.blocks):
        if not element.get("response_url_enabled"):
            continue
        key = (str(block["block_id"]), str(element["action_id"]))
        channel = next((value for name, value in state[key].items() if name != "type" and value), None)
        if isinstance(channel, str):
            hook = desk.world.tickets.hook(desk.world.url, "app", user.id, channel)
            found.append({"block_id": key[0], "action_id": key[1], "channel_id": channel, "response_url": hook.url})
    return found


async def close(desk: Desk, user: User, ref: View | str | None) -> None:
    """Press cancel or the cross; the app hears of it where it asked to."""
    view = sight.top_view(desk.world, user, ref)
    if view.type != "modal":
        raise CannotDo("a Home tab cannot be closed")
    cleared = bool(view.raw.get("clear_on_close"))
    if cleared:
        modals.close_all(desk.world, user.id)
    else:
        modals.close(desk.world, view)
    if view.raw.get("notify_on_close"):
        await desk.socket.ask("interactive", payloads.closed(user, view, cleared=cleared), accepts=True)
