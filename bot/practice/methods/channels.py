"""``conversations.*`` that make, change and list channels."""

from __future__ import annotations

import re

from bot.practice import display, posting
from bot.practice.methods.table import Call, Method, needs_scope
from bot.practice.shapes import Json, SlackError, invalid_arguments
from bot.practice.state import Channel

NAME_MOST, TOPIC_MOST = 80, 250


def check_name(call: Call, name: str | None) -> str:
    """Slack's rules for channel names."""
    if not name:
        raise SlackError("invalid_name_required")
    if len(name) > NAME_MOST:
        raise SlackError("invalid_name_maxlength")
    if not re.fullmatch(r"[\w-]+", name) or name != name.lower():
        raise SlackError("invalid_name_specials")
    if not re.search(r"[^\W_]", name):
        raise SlackError("invalid_name_punctuation")
    if any(channel.name == name for channel in call.world.channels.values()):
        raise SlackError("name_taken")
    return name


def create(call: Call) -> Json:
    """Also an archived channel keeps its name."""
    private = call.args.flag("is_private")
    needs_scope(call.token, "groups:write" if private else "channels:manage")
    name = check_name(call, call.args.text("name"))
    world = call.world
    channel = Channel(world.next_id("C"), name, call.me.id, int(world.now()), is_private=private)
    world.channels[channel.id] = channel
    posting.add_member(world, channel, call.me.id)
    return {"channel": display.channel(channel, call.me.id)}


def info(call: Call) -> Json:
    """One channel."""
    channel = call.channel("read")
    body = display.channel(channel, call.me.id)
    if call.args.flag("include_num_members"):
        body["num_members"] = len(channel.members)
    return {"channel": body}


def _wanted(call: Call, channel: Channel) -> bool:
    kinds = call.args.ids("types") or ["public_channel"]
    if call.args.flag("exclude_archived") and channel.archived:
        return False
    if channel.is_im:
        kind = "im"
    elif channel.is_mpim:
        kind = "mpim"
    else:
        kind = "private_channel" if channel.is_private else "public_channel"
    return kind in kinds


def _need_kinds(call: Call) -> None:
    scopes = {"public_channel": "channels:read", "private_channel": "groups:read", "im": "im:read", "mpim": "mpim:read"}
    for kind in call.args.ids("types") or ["public_channel"]:
        if kind not in scopes:
            raise SlackError("invalid_types")
        needs_scope(call.token, scopes[kind])


def listing(call: Call) -> Json:
    """All channels that the bot can see, of the asked types."""
    _need_kinds(call)
    me = call.me.id
    found = [one for one in call.world.channels.values() if call.world.visible(one, me) and _wanted(call, one)]
    page, more = call.args.page(found)
    return {"channels": [display.channel(one, me) for one in page], "response_metadata": more}


def users_conversations(call: Call) -> Json:
    """The channels that a user (by default the bot) is a member of."""
    _need_kinds(call)
    me = call.me.id
    user = call.args.text("user") or me
    if user not in call.world.users:
        raise SlackError("user_not_found")
    found = [
        one
        for one in call.world.channels.values()
        if user in one.members and call.world.visible(one, me) and _wanted(call, one)
    ]
    page, more = call.args.page(found)
    return {"channels": [display.channel(one, me) for one in page], "response_metadata": more}


def archive(call: Call) -> Json:
    """Close a channel."""
    channel = call.channel("manage")
    call.not_direct(channel)
    if channel.archived:
        raise SlackError("already_archived")
    if channel.is_general:
        raise SlackError("cant_archive_general")
    if call.me.id not in channel.members:
        raise SlackError("not_in_channel")
    posting.archive(call.world, channel, call.me.id)
    return {}


def unarchive(call: Call) -> Json:
    """Open a channel again."""
    channel = call.channel("manage")
    call.not_direct(channel)
    if not channel.archived:
        raise SlackError("not_archived")
    posting.archive(call.world, channel, call.me.id, undo=True)
    return {}


def rename(call: Call) -> Json:
    """Only the creator (or an admin, which a bot is not) may rename."""
    channel = call.channel("manage")
    call.not_direct(channel)
    call.inside(channel)
    if channel.creator != call.me.id:
        raise SlackError("not_authorized")
    posting.rename(call.world, channel, call.me.id, check_name(call, call.args.text("name")))
    return {"channel": display.channel(channel, call.me.id)}


def _describe(call: Call, what: str) -> Json:
    channel = call.channel("manage")
    call.inside(channel)
    text = call.args.text(what)
    if text is None:
        raise invalid_arguments(f"missing required field: {what}")
    if len(text) > TOPIC_MOST:
        raise SlackError("too_long")
    posting.describe(call.world, channel, call.me.id, what, text)
    return {what: text, "channel": display.channel(channel, call.me.id)}


def set_topic(call: Call) -> Json:
    """Set the topic."""
    return _describe(call, "topic")


def set_purpose(call: Call) -> Json:
    """Set the purpose."""
    return _describe(call, "purpose")


METHODS = (
    Method("conversations.create", create, 2),
    Method("conversations.info", info, 3, takes_json=False),
    Method("conversations.list", listing, 2, takes_json=False),
    Method("users.conversations", users_conversations, 3, takes_json=False),
    Method("conversations.archive", archive, 2),
    Method("conversations.unarchive", unarchive, 2),
    Method("conversations.rename", rename, 2),
    Method("conversations.setTopic", set_topic, 2),
    Method("conversations.setPurpose", set_purpose, 2),
)
