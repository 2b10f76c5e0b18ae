"""``chat.*``: posting, changing and deleting the bot's messages."""

from __future__ import annotations

from typing import Any

from bot.practice import blocks as blockkit
from bot.practice import display, metadata, posting
from bot.practice.methods.table import Call, Method
from bot.practice.shapes import Json, SlackError
from bot.practice.state import Channel, Message

UPDATE_MOST = 4000
SPLIT_OVER, SPLIT_AT = 4040, 4000  # measured by a third party, slack.md §2
ATTACHMENTS_MOST = 100
MARKDOWN_MOST = 12_000


def _content(call: Call) -> Json:
    """Text, blocks and attachments of a message, checked."""
    args = call.args
    text, blocks, attachments = args.text("text") or "", args.structure("blocks"), args.structure("attachments")
    markdown = args.text("markdown_text")
    if markdown:
        if text or blocks:
            raise SlackError("markdown_text_conflict")
        if len(markdown) > MARKDOWN_MOST:
            raise SlackError("msg_too_long")
        text = markdown
    if blocks:
        blockkit.message_blocks(blocks)
    if attachments and len(attachments) > ATTACHMENTS_MOST:
        raise SlackError("too_many_attachments")
    if not text.strip() and not blocks and not attachments:
        raise SlackError("no_text")
    return {"text": text, "blocks": blocks or [], "attachments": attachments or []}


def _target(call: Call) -> Channel:
    """Where to post: a channel id or name, or a person's id for a direct message."""
    ref = call.args.need("channel", "channel_not_found")
    world = call.world
    if ref in world.users:
        if ref == call.me.id or world.users[ref].deleted:
            raise SlackError("channel_not_found")
        return world.direct(call.me.id, ref)
    channel = world.channel(ref)
    if channel is None or not world.visible(channel, call.me.id):
        raise SlackError("channel_not_found")
    call.inside(channel)
    return channel


def _thread(call: Call, channel: Channel) -> str | None:
    """A reply to a reply goes into the same thread; to something that is not there, nowhere."""
    ts = call.args.text("thread_ts")
    if not ts:
        return None
    parent = call.world.find(channel, ts)
    if parent is None:
        raise SlackError("thread_not_found")
    return parent.thread_ts or parent.ts


def post_message(call: Call) -> Json:
    """A long text without blocks becomes several messages, as in Slack."""
    content = _content(call)
    meta = metadata.check(call.args.structure("metadata"))
    channel = _target(call)
    thread = _thread(call, channel)
    more: dict[str, Any] = {
        "thread_ts": thread,
        "broadcast": bool(thread) and call.args.flag("reply_broadcast"),
        "metadata": meta,
    }
    text = content.pop("text")[: posting.TRUNCATED]
    split = len(text) > SPLIT_OVER and not content["blocks"]
    parts = [text[at : at + SPLIT_AT] for at in range(0, len(text), SPLIT_AT)] if split else [text]
    sent = [posting.post(call.world, channel, call.me.id, part, **content, **more) for part in parts]
    return {"channel": channel.id, "ts": sent[0].ts, "message": display.message(sent[0])}


def post_ephemeral(call: Call) -> Json:
    """For one member of the channel."""
    content = _content(call)
    user = call.args.need("user", "user_not_found")
    channel = _target(call)
    if user not in call.world.users:
        raise SlackError("user_not_found")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    sent = posting.whisper(call.world, channel, user, **_named(content), thread_ts=call.args.text("thread_ts"))
    return {"message_ts": sent.ts}


def _named(content: Json) -> Json:
    return {"text": content["text"], "blocks": content["blocks"], "attachments": content["attachments"]}


def _mine(call: Call, error: str) -> tuple[Channel, Message]:
    channel = call.channel("")
    message = call.world.find(channel, call.args.need("ts"))
    if message is None:
        raise SlackError("message_not_found")
    if message.user != call.me.id or message.subtype:
        raise SlackError(error)
    if channel.archived:
        raise SlackError("is_archived")
    return channel, message


def update(call: Call) -> Json:
    """Text without blocks removes the blocks and marks the message as edited; blocks alone keep the text."""
    channel, message = _mine(call, "cant_update_message")
    text, blocks = call.args.text("text"), call.args.structure("blocks")
    if text is not None and len(text) > UPDATE_MOST:
        raise SlackError("msg_too_long")
    if blocks:
        blockkit.message_blocks(blocks)
    fields: Json = {}
    if text is not None:
        fields |= {"text": text, "blocks": blocks or []}
        if not text.strip() and not blocks:
            raise SlackError("no_text")
    elif blocks is not None:
        fields["blocks"] = blocks
        if not blocks and not message.text.strip():
            raise SlackError("no_text")
    if (attachments := call.args.structure("attachments")) is not None:
        fields["attachments"] = attachments
    if not fields:
        raise SlackError("no_text")
    if "metadata" in call.args.raw:
        fields["metadata"] = metadata.check(call.args.structure("metadata"))
    if not blocks:
        fields["edited"] = {"user": call.me.id, "ts": call.world.next_ts()}
    posting.rewrite(call.world, message, **fields)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": display.message(message)}


def delete(call: Call) -> Json:
    """Only its own messages."""
    channel, message = _mine(call, "cant_delete_message")
    posting.delete(call.world, message)
    return {"channel": channel.id, "ts": message.ts}


def permalink(call: Call) -> Json:
    """A link to a message."""
    channel = call.channel("")
    message = call.world.find(channel, call.args.need("message_ts", "message_not_found"))
    if message is None:
        raise SlackError("message_not_found")
    link = f"{call.world.url}archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts and message.thread_ts != message.ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


METHODS = (
    Method("chat.postMessage", post_message, 5, "chat:write"),
    Method("chat.postEphemeral", post_ephemeral, 4, "chat:write"),
    Method("chat.update", update, 3, "chat:write"),
    Method("chat.delete", delete, 3, "chat:write"),
    Method("chat.getPermalink", permalink, 5, takes_json=False),
)
