"""Posting, changing and deleting messages, and who is in a channel: what happens to state whoever causes it.

Decides the side effects (timestamps, system messages, events, the record). Whether it is allowed was decided before.
"""

from __future__ import annotations

from typing import Any

from bot.practice import display, events
from bot.practice.state import Channel, Message
from bot.practice.world import BOT_USER_ID, SLACKBOT, World

TRUNCATED = 40_000


def post(world: World, channel: Channel, user: str, text: str, **more: Any) -> Message:
    """Post a message; ``more`` are fields of ``Message``. Blocks are completed as Slack does."""
    more["blocks"] = display.stamp(more.get("blocks"), world)
    more["file_objects"] = [display.file(world.files[one], world) for one in more.get("files", ())]
    message = Message(channel.id, world.next_ts(), user, text[:TRUNCATED], by_app=user == BOT_USER_ID, **more)
    if message.ephemeral_to is None:
        channel.messages[message.ts] = message
    else:
        world.ephemerals.append(message)
    world.version(message, "posted")
    if message.ephemeral_to is None:
        events.posted(world, message)
    return message


def whisper(world: World, channel: Channel, to: str, text: str, blocks: Any = None, **more: Any) -> Message:
    """Post an ephemeral message of the app."""
    return post(world, channel, BOT_USER_ID, text, blocks=blocks, ephemeral_to=to, **more)


def slackbot_says(world: World, channel: Channel, to: str, text: str) -> Message:
    """What Slack itself tells one person when an app fails."""
    return post(world, channel, SLACKBOT, text, ephemeral_to=to, from_slackbot=True)


def rewrite(world: World, message: Message, **fields: Any) -> None:
    """Change fields of a message and tell about it."""
    before = display.message(message)
    if "blocks" in fields:
        fields["blocks"] = display.stamp(fields["blocks"], world)
    for key, value in fields.items():
        setattr(message, key, value)
    world.version(message, "updated")
    if message.ephemeral_to is None:
        events.changed(world, message, before)


def delete(world: World, message: Message) -> None:
    """Delete a message."""
    message.deleted = True
    channel = world.channels[message.channel]
    if message.ts in channel.pins:
        channel.pins.remove(message.ts)
    world.version(message, "deleted")
    if message.ephemeral_to is None:
        events.deleted(world, message)


def system(world: World, channel: Channel, user: str, subtype: str, text: str) -> None:
    """One of Slack's own lines in a channel: somebody joined, set the topic, …"""
    if not channel.is_im:
        post(world, channel, user, text, subtype=subtype)


def add_member(world: World, channel: Channel, user: str, inviter: str | None = None) -> None:
    """Somebody comes in."""
    channel.members.append(user)
    prefix = "group" if channel.is_private else "channel"
    system(world, channel, user, f"{prefix}_join", f"<@{user}> has joined the {prefix}")
    events.membership(world, channel, user, "member_joined_channel", inviter)
    world.touch()


def remove_member(world: World, channel: Channel, user: str) -> None:
    """Somebody leaves or is removed."""
    channel.members.remove(user)
    prefix = "group" if channel.is_private else "channel"
    system(world, channel, user, f"{prefix}_leave", f"<@{user}> has left the {prefix}")
    events.membership(world, channel, user, "member_left_channel")
    world.touch()


def describe(world: World, channel: Channel, user: str, what: str, text: str) -> None:
    """Set a topic or a purpose (``what``)."""
    setattr(channel, what, text)
    prefix = "group" if channel.is_private else "channel"
    system(world, channel, user, f"{prefix}_{what}", f"<@{user}> set the channel {what}: {text}")
    world.touch()


def archive(world: World, channel: Channel, user: str, *, undo: bool = False) -> None:
    """Archive a channel, or bring it back."""
    if not undo:
        events.archived(world, channel, user)
    channel.archived = not undo
    if undo:
        events.archived(world, channel, user, undone=True)
    world.touch()


def rename(world: World, channel: Channel, user: str, name: str) -> None:
    """Give a channel another name."""
    before, channel.name = channel.name, name
    prefix = "group" if channel.is_private else "channel"
    text = f'<@{user}> has renamed the channel from "{before}" to "{name}"'
    system(world, channel, user, f"{prefix}_name", text)
    events.renamed(world, channel)
    world.touch()
