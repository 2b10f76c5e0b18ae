"""``views.*``: opening, stacking and changing modals, publishing Home tabs."""

from __future__ import annotations

from bot.practice import blocks as blockkit
from bot.practice import display, modals
from bot.practice.methods.table import Call, Method
from bot.practice.shapes import Json, SlackError, invalid_arguments
from bot.practice.state import View
from bot.practice.tickets import Trigger


def _definition(call: Call, kind: str) -> Json:
    definition = call.args.structure("view")
    if definition is None:
        raise invalid_arguments("missing required field: view")
    blockkit.view(definition, kind)
    external = definition.get("external_id")
    if external and any(one.external_id == external and one.open for one in call.world.views.values()):
        raise SlackError("duplicate_external_id")
    return dict(definition)


def _trigger(call: Call) -> Trigger:
    """Checked here and used up only once the view was accepted, as Slack does."""
    wanted = call.args.text("trigger_id") or call.args.text("interactivity_pointer")
    if not wanted:
        raise invalid_arguments("missing required field: trigger_id")
    return call.world.tickets.check(wanted)


def open_modal(call: Call) -> Json:
    """Open a modal; whatever was open gives way."""
    trigger = _trigger(call)
    definition = _definition(call, "modal")
    call.world.tickets.exchange(trigger.id)
    return {"view": display.view(modals.open_modal(call.world, trigger.user, definition))}


def push(call: Call) -> Json:
    """Put a modal on top; the trigger must come from a modal."""
    trigger = _trigger(call)
    definition = _definition(call, "modal")
    if trigger.view_id is None or not call.world.views[trigger.view_id].open:
        raise SlackError("invalid_trigger_id")
    view = modals.push(call.world, trigger.user, definition)
    call.world.tickets.exchange(trigger.id)
    return {"view": display.view(view)}


def _named(call: Call) -> View:
    view_id, external = call.args.text("view_id"), call.args.text("external_id")
    if not view_id and not external:
        raise invalid_arguments("must provide either view_id or external_id")
    for one in call.world.views.values():
        if one.open and (one.id == view_id or (external and one.external_id == external)):
            return one
    raise SlackError("not_found")


def update(call: Call) -> Json:
    """What people typed stays where block id and action id stay."""
    definition = call.args.structure("view")
    view = _named(call)
    if definition is None:
        raise invalid_arguments("missing required field: view")
    blockkit.view(definition, view.type)
    wanted = call.args.text("hash")
    if wanted and wanted != view.hash:
        raise SlackError("hash_conflict")
    modals.replace(call.world, view, definition)
    return {"view": display.view(view)}


def publish(call: Call) -> Json:
    """A person's Home tab."""
    user = call.args.need("user_id")
    if user not in call.world.users:
        raise invalid_arguments("invalid user_id [json-pointer:/user_id]")
    definition = call.args.structure("view")
    if definition is None:
        raise invalid_arguments("missing required field: view")
    blockkit.view(definition, "home")
    wanted = call.args.text("hash")
    before = call.world.homes.get(user)
    if wanted and before and call.world.views[before].hash != wanted:
        raise SlackError("hash_conflict")
    return {"view": display.view(modals.publish(call.world, user, definition))}


METHODS = (
    Method("views.open", open_modal, 4),
    Method("views.push", push, 4),
    Method("views.update", update, 4),
    Method("views.publish", publish, 4),
)
