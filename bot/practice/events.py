"""The events that the app hears of: their shapes and to which event name each belongs.

Decides what is sent for a change and whether the app is entitled to it (it must be a member of the channel). Whether
it subscribed to the name is decided by the server.
"""

from __future__ import annotations

import re
import uuid

from bot.practice import display
from bot.practice.shapes import Json
from bot.practice.state import Channel, Message
from bot.practice.world import BOT_USER_ID, TEAM_ID, World

KINDS = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}
ALL_EVENTS = frozenset(
    {
        *KINDS.values(),
        "app_mention",
        "app_home_opened",
        "reaction_added",
        "reaction_removed",
        "member_joined_channel",
        "member_left_channel",
        "channel_archive",
        "group_archive",
        "channel_unarchive",
        "group_unarchive",
        "channel_rename",
        "group_rename",
        "file_shared",
        "pin_added",
        "pin_removed",
    }
)


def channel_type(channel: Channel) -> str:
    """``channel``, ``group``, ``im`` or ``mpim``."""
    if channel.is_im:
        return "im"
    if channel.is_mpim:
        return "mpim"
    return "group" if channel.is_private else "channel"


def subscription(event: Json) -> str:
    """The event name that an app subscribes to in order to get this event."""
    if event["type"] == "message":
        return KINDS[event["channel_type"]]
    return str(event["type"])


def tell(world: World, channel: Channel, event: Json) -> None:
    """Send an event of a channel to the app where its bot is a member."""
    if BOT_USER_ID in channel.members:
        world.emit({**event, "event_ts": event.get("event_ts") or world.next_ts()})


def posted(world: World, message: Message) -> None:
    """A message was posted: ``message``, and ``app_mention`` where it names the bot."""
    channel = world.channels[message.channel]
    body = display.message(message)
    body |= {"channel": channel.id, "channel_type": channel_type(channel), "event_ts": message.ts}
    if not message.by_app and message.subtype is None:
        body["client_msg_id"] = str(uuid.uuid4())
    tell(world, channel, body)
    if not message.by_app and re.search(rf"<@{BOT_USER_ID}(\||>)", message.text):
        mention = {key: value for key, value in body.items() if key != "channel_type"}
        tell(world, channel, {**mention, "type": "app_mention"})


def changed(world: World, message: Message, before: Json) -> None:
    """A message was edited."""
    channel = world.channels[message.channel]
    event: Json = {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "message": display.message(message),
        "previous_message": before,
    }
    tell(world, channel, {**event, **_hidden(world, channel)})


def deleted(world: World, message: Message) -> None:
    """A message was deleted."""
    channel = world.channels[message.channel]
    event: Json = {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "deleted_ts": message.ts,
        "previous_message": display.message(message),
    }
    tell(world, channel, {**event, **_hidden(world, channel)})


def _hidden(world: World, channel: Channel) -> Json:
    ts = world.next_ts()
    return {"channel": channel.id, "ts": ts, "event_ts": ts, "channel_type": channel_type(channel)}


def membership(world: World, channel: Channel, user: str, kind: str, inviter: str | None = None) -> None:
    """``member_joined_channel`` or ``member_left_channel``."""
    event: Json = {
        "type": kind,
        "user": user,
        "channel": channel.id,
        "channel_type": "G" if channel.is_private else "C",
        "team": TEAM_ID,
    }
    if inviter:
        event["inviter"] = inviter
    if user == BOT_USER_ID or BOT_USER_ID in channel.members:
        world.emit({**event, "event_ts": world.next_ts()})


def archived(world: World, channel: Channel, user: str, *, undone: bool = False) -> None:
    """``channel_archive`` and its three sisters."""
    name = ("group" if channel.is_private else "channel") + ("_unarchive" if undone else "_archive")
    tell(world, channel, {"type": name, "channel": channel.id, "user": user, "is_moved": 0})


def renamed(world: World, channel: Channel) -> None:
    """``channel_rename`` or ``group_rename``."""
    body = {"id": channel.id, "name": channel.name, "created": channel.created}
    tell(world, channel, {"type": ("group" if channel.is_private else "channel") + "_rename", "channel": body})


def reaction(world: World, message: Message, user: str, name: str, kind: str) -> None:
    """``reaction_added`` or ``reaction_removed``."""
    item = {"type": "message", "channel": message.channel, "ts": message.ts}
    event: Json = {"type": kind, "user": user, "reaction": name, "item": item, "item_user": message.user}
    tell(world, world.channels[message.channel], event)


def file_shared(world: World, channel: Channel, file_id: str, user: str) -> None:
    """A file was shared."""
    event: Json = {"type": "file_shared", "channel_id": channel.id, "file_id": file_id, "user_id": user}
    tell(world, channel, {**event, "file": {"id": file_id}})


def home_opened(world: World, user: str, channel: Channel) -> None:
    """A person opened the app's Home tab."""
    event: Json = {"type": "app_home_opened", "user": user, "channel": channel.id, "tab": "home"}
    if home := world.homes.get(user):
        event["view"] = display.view(world.views[home])
    world.emit({**event, "event_ts": world.next_ts()})
