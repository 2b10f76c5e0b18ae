"""The payloads of interactions, exactly in the shapes of ``slack.md`` §4."""

from __future__ import annotations

from bot.practice import display
from bot.practice.shapes import Json
from bot.practice.state import Channel, Message, Typed, User, View
from bot.practice.tickets import Hook
from bot.practice.world import APP_ID, TEAM_DOMAIN, TEAM_ID, World

VERIFICATION = "practice-verification-token"


def _person(user: User) -> Json:
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": TEAM_ID}


def _base(kind: str, user: User) -> Json:
    return {
        "type": kind,
        "user": _person(user),
        "api_app_id": APP_ID,
        "token": VERIFICATION,
        "team": {"id": TEAM_ID, "domain": TEAM_DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def channel_name(channel: Channel) -> str:
    """What a slash command's payload calls a channel."""
    if channel.is_im or channel.is_mpim:
        return "directmessage" if channel.is_im else channel.name
    return "privategroup" if channel.is_private else channel.name


def slash(user: User, channel: Channel, command: str, text: str, hook: Hook, trigger: str) -> Json:
    """§4.1: everything is a string."""
    return {
        "token": VERIFICATION,
        "team_id": TEAM_ID,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": hook.url,
        "trigger_id": trigger,
    }


def message_action(user: User, channel: Channel, message: Message, action: Json, **more: object) -> Json:
    """§4.2: a click in a message; ``more`` holds state, hook and trigger."""
    hook = more["hook"]
    assert isinstance(hook, Hook)
    hidden = message.ephemeral_to is not None
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": hidden,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    body = _base("block_actions", user) | {
        "container": container,
        "trigger_id": more["trigger"],
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "state": display.values(message.typed.get(user.id, {})),
        "response_url": hook.url,
        "actions": [action],
    }
    if not hidden:
        body["message"] = display.message(message)
    return body


def view_action(user: User, view: View, action: Json, state: Typed, trigger: str) -> Json:
    """§4.3: a click in a modal or on a Home tab."""
    return _base("block_actions", user) | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": trigger,
        "view": display.view(view, state),
        "actions": [action],
    }


def submission(user: User, view: View, state: Typed, trigger: str, response_urls: list[Json]) -> Json:
    """§4.4."""
    return _base("view_submission", user) | {
        "trigger_id": trigger,
        "view": display.view(view, state),
        "response_urls": response_urls,
    }


def closed(user: User, view: View, *, cleared: bool) -> Json:
    """§4.5."""
    return _base("view_closed", user) | {"view": display.view(view), "is_cleared": cleared}


def message_shortcut(
    user: User, channel: Channel, message: Message, callback_id: str, hook: Hook, trigger: str, world: World
) -> Json:
    """§4.6."""
    return _base("message_action", user) | {
        "action_ts": world.next_ts(),
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "callback_id": callback_id,
        "trigger_id": trigger,
        "message_ts": message.ts,
        "message": display.message(message),
        "response_url": hook.url,
    }


def shortcut(user: User, callback_id: str, trigger: str, world: World) -> Json:
    """§4.7: no channel, no response URL."""
    return _base("shortcut", user) | {
        "action_ts": world.next_ts(),
        "callback_id": callback_id,
        "trigger_id": trigger,
    }


def suggestion(user: User, block: Json, element: Json, typed: str, place: Json) -> Json:
    """§4.8: what an external select asks for; ``place`` holds container and view, or message and channel."""
    body = _base("block_suggestion", user)
    del body["enterprise"], body["is_enterprise_install"]
    return body | {
        "block_id": block["block_id"],
        "action_id": element["action_id"],
        "value": typed,
        **place,
    }


def event(world: World, inner: Json) -> Json:
    """§4.9: the outer part of an event."""
    authorization = {
        "enterprise_id": None,
        "team_id": TEAM_ID,
        "user_id": world.bot.id,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": VERIFICATION,
        "team_id": TEAM_ID,
        "context_team_id": TEAM_ID,
        "context_enterprise_id": None,
        "api_app_id": APP_ID,
        "event": inner,
        "type": "event_callback",
        "event_id": world.next_id("Ev"),
        "event_time": int(world.now()),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        "event_context": f"4-{world.next_id('ec')}",
    }
