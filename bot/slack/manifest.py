"""The Slack app manifest, made from what is registered and what is called: nothing more is asked for (least privilege).

Decides which scope each method of Slack's needs. One table; a method that is not in it must not be called (tested).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bot.slack.edge import DECLARE
from bot.slack.feature import Feature
from bot.slack.parse import COMMAND

PUBLIC, PRIVATE = "channels", "groups"
ROOM_SCOPES: Mapping[str, Mapping[str, str]] = {
    "manage": {PUBLIC: "channels:manage", PRIVATE: "groups:write"},
    "read": {PUBLIC: "channels:read", PRIVATE: "groups:read"},
    "history": {PUBLIC: "channels:history", PRIVATE: "groups:history"},
}
METHODS: Mapping[str, tuple[str, ...]] = {
    "apps.connections.open": (),  # an app-level token with connections:write
    "auth.test": (),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.archive": ("manage",),
    "conversations.canvases.create": ("canvases:write",),
    "conversations.create": ("manage",),
    # Beside rooms, what was posted in the stakeholders' channel and in a direct message is looked for before it is repeated.
    "conversations.history": ("history", "channels:history", "im:history"),
    "conversations.invite": ("manage",),
    "conversations.join": ("channels:join",),
    "conversations.list": ("read", "channels:read"),  # the stakeholders' channel is found by its name
    "conversations.open": ("im:write",),
    "conversations.setTopic": ("manage",),
    "files.completeUploadExternal": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.info": ("files:read",),
    "pins.add": ("pins:write",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "users.conversations": ("read",),  # whose private rooms a Home tab may name
    "users.info": ("users:read",),
    "users.lookupByEmail": ("users:read.email", "users:read"),
    "views.open": (),
    "views.publish": (),
}
"""Every method that the bot calls. `manage`, `read` and `history` mean the kind of channel that rooms are."""
EVENTS: Mapping[str, tuple[str, ...]] = {
    "app_home_opened": (),
    "file_shared": ("files:read",),
}
"""Every event that a feature may hear, and the scopes that Slack sends it under."""
HOME = "app_home_opened"
HINT_CHARS = 100


def bot_scopes(features: Iterable[Feature[Any]], *, private_rooms: bool = True) -> tuple[str, ...]:
    """Bot scopes, sorted."""
    kind = PRIVATE if private_rooms else PUBLIC
    features = tuple(features)
    needed = {"commands"} | {scope for feature in features for scope in feature.scopes}
    needed |= {scope for feature in features for event in feature.events for scope in EVENTS[event]}
    for named in METHODS.values():
        needed |= {ROOM_SCOPES[scope][kind] if scope in ROOM_SCOPES else scope for scope in named}
    return tuple(sorted(needed))


def manifest(features: Iterable[Feature[Any]], *, private_rooms: bool = True, url: str | None = None) -> dict[str, Any]:
    """As `api.slack.com/apps` takes it. Socket Mode, unless a public `url` (…/slack/events) is given."""
    known = tuple(features)
    to = {} if url is None else {"url": url}
    reached = {} if url is None else {"request_url": url}
    events = sorted({event for feature in known for event in feature.events})
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": "Firsthour",
            "description": "Runs the first hour of an AI security incident, and the weeks after it.",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": HOME in events,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "firsthour", "always_online": True},
            "shortcuts": [
                {
                    "name": "Declare an incident",
                    "type": "global",
                    "callback_id": DECLARE,
                    "description": "Open the form that declares an incident",
                },
                *_message_shortcuts(known),
            ],
            "slash_commands": [
                {
                    "command": COMMAND,
                    "description": "Declare and run an AI security incident",
                    "usage_hint": usage_hint(known),
                    "should_escape": True,
                    **to,
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": list(bot_scopes(known, private_rooms=private_rooms))}},
        "settings": {
            **({"event_subscriptions": {"bot_events": events, **reached}} if events else {}),
            "interactivity": {"is_enabled": True, **reached},
            "org_deploy_enabled": False,
            "socket_mode_enabled": url is None,
            "token_rotation_enabled": False,
        },
    }


def _message_shortcuts(features: Iterable[Feature[Any]]) -> list[dict[str, str]]:
    return [
        {"name": one.name, "type": "message", "callback_id": one.callback_id, "description": one.description}
        for feature in features
        for one in feature.message_shortcuts
    ]


def usage_hint(features: Iterable[Feature[Any]]) -> str:
    """`[declare | ack | list … help]`: as many verbs as fit, `help` always."""
    verbs = list(dict.fromkeys(feature.verb.split()[0] for feature in features))
    others = [verb for verb in verbs if verb != "help"]
    shown = list(others)
    while len(f"[{' | '.join([*shown, 'help'])}]") > HINT_CHARS:
        shown.pop()
    more = [] if len(shown) == len(others) else ["…"]
    return f"[{' | '.join([*shown, *more, 'help'])}]"
