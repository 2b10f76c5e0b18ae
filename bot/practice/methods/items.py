"""``pins.*``, ``bookmarks.*`` and ``reactions.*``: things attached to channels and messages."""

from __future__ import annotations

import re

from bot.practice import display, events
from bot.practice.methods.table import Call, Method
from bot.practice.shapes import Json, SlackError, invalid_arguments
from bot.practice.state import Bookmark, Channel, Message

PINS_MOST, BOOKMARKS_MOST = 100, 100
TITLE_MOST, LINK_MOST = 256, 2048


def _message(call: Call, channel: Channel, missing: str) -> Message:
    ts = call.args.need("timestamp", missing)
    if not re.fullmatch(r"\d+\.\d{6}", ts):
        raise SlackError("bad_timestamp")
    message = call.world.find(channel, ts)
    if message is None:
        raise SlackError("message_not_found")
    return message


def pin(call: Call) -> Json:
    """Pin a message."""
    channel = call.channel("")
    call.inside(channel)
    message = _message(call, channel, "no_item_specified")
    if message.ts in channel.pins:
        raise SlackError("already_pinned")
    if message.subtype:
        raise SlackError("not_pinnable")
    if len(channel.pins) >= PINS_MOST:
        raise SlackError("too_many_pins")
    channel.pins.append(message.ts)
    call.world.touch()
    return {}


def unpin(call: Call) -> Json:
    """Take a pin off."""
    channel = call.channel("")
    call.inside(channel)
    message = _message(call, channel, "no_item_specified")
    if message.ts not in channel.pins:
        raise SlackError("no_pin")
    channel.pins.remove(message.ts)
    call.world.touch()
    return {}


def pins(call: Call) -> Json:
    """All pins, newest first."""
    channel = call.channel("")
    if call.me.id not in channel.members:
        raise SlackError("not_in_channel")
    shown = [channel.messages[ts] for ts in reversed(channel.pins)]
    return {
        "items": [{"type": "message", "channel": channel.id, "message": display.message(message)} for message in shown]
    }


def _bookmark(one: Bookmark) -> Json:
    return {
        "id": one.id,
        "channel_id": one.channel,
        "title": one.title,
        "link": one.link,
        "emoji": one.emoji,
        "type": "link",
    }


def _bookmark_channel(call: Call) -> Channel:
    channel = call.channel("", name="channel_id")
    if call.me.id not in channel.members:
        raise SlackError("permission_denied")
    return channel


def _fields(call: Call) -> tuple[str | None, str | None]:
    title, link = call.args.text("title"), call.args.text("link")
    if title is not None and not 1 <= len(title) <= TITLE_MOST:
        raise invalid_arguments(f"must be less than {TITLE_MOST + 1} characters [json-pointer:/title]")
    if link is not None and (len(link) > LINK_MOST or not re.match(r"https?://\S+$", link)):
        raise SlackError("invalid_link")
    return title, link


def add_bookmark(call: Call) -> Json:
    """Links only, http or https only."""
    channel = _bookmark_channel(call)
    call.args.need("title")
    if call.args.need("type", "invalid_bookmark_type") != "link":
        raise SlackError("invalid_bookmark_type")
    title, link = _fields(call)
    if not link:
        raise SlackError("invalid_link")
    if len(channel.bookmarks) >= BOOKMARKS_MOST:
        raise SlackError("too_many_bookmarks")
    one = Bookmark(call.world.next_id("Bk"), channel.id, title or "", link, call.args.text("emoji") or "")
    channel.bookmarks.append(one)
    call.world.touch()
    return {"bookmark": _bookmark(one)}


def _named(call: Call, channel: Channel) -> Bookmark:
    wanted = call.args.need("bookmark_id")
    for one in channel.bookmarks:
        if one.id == wanted:
            return one
    raise SlackError("not_found")


def edit_bookmark(call: Call) -> Json:
    """Change title, link or emoji."""
    channel = _bookmark_channel(call)
    one = _named(call, channel)
    title, link = _fields(call)
    one.title, one.link = title or one.title, link or one.link
    one.emoji = call.args.text("emoji") or one.emoji
    call.world.touch()
    return {"bookmark": _bookmark(one)}


def bookmarks(call: Call) -> Json:
    """All bookmarks of a channel."""
    return {"bookmarks": [_bookmark(one) for one in _bookmark_channel(call).bookmarks]}


def remove_bookmark(call: Call) -> Json:
    """Take a bookmark off."""
    channel = _bookmark_channel(call)
    channel.bookmarks.remove(_named(call, channel))
    call.world.touch()
    return {}


def _reaction(call: Call) -> tuple[Message, str]:
    channel = call.channel("")
    name = call.args.need("name", "invalid_name")
    if not re.fullmatch(r"[a-z0-9_+'-]+(::[a-z0-9-]+)?", name):
        raise SlackError("invalid_name")
    message = _message(call, channel, "no_item_specified")
    if call.me.id not in channel.members and channel.is_private:
        raise SlackError("not_in_channel")
    if channel.archived:
        raise SlackError("is_archived")
    return message, name


def react(call: Call) -> Json:
    """Add a reaction of the bot."""
    message, name = _reaction(call)
    users = message.reactions.setdefault(name, [])
    if call.me.id in users:
        raise SlackError("already_reacted")
    users.append(call.me.id)
    events.reaction(call.world, message, call.me.id, name, "reaction_added")
    call.world.touch()
    return {}


def unreact(call: Call) -> Json:
    """Take a reaction of the bot away."""
    message, name = _reaction(call)
    users = message.reactions.get(name, [])
    if call.me.id not in users:
        raise SlackError("no_reaction")
    users.remove(call.me.id)
    if not users:
        del message.reactions[name]
    events.reaction(call.world, message, call.me.id, name, "reaction_removed")
    call.world.touch()
    return {}


def reactions(call: Call) -> Json:
    """A message with its reactions."""
    channel = call.channel("")
    message = _message(call, channel, "no_item_specified")
    return {"type": "message", "channel": channel.id, "message": display.message(message)}


METHODS = (
    Method("pins.add", pin, 2, "pins:write"),
    Method("pins.remove", unpin, 2, "pins:write"),
    Method("pins.list", pins, 2, "pins:read", takes_json=False),
    Method("bookmarks.add", add_bookmark, 2, "bookmarks:write"),
    Method("bookmarks.edit", edit_bookmark, 2, "bookmarks:write"),
    Method("bookmarks.list", bookmarks, 3, "bookmarks:read"),
    Method("bookmarks.remove", remove_bookmark, 2, "bookmarks:write"),
    Method("reactions.add", react, 3, "reactions:write"),
    Method("reactions.remove", unreact, 2, "reactions:write"),
    Method("reactions.get", reactions, 3, "reactions:read", takes_json=False),
)
