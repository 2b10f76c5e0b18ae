"""``conversations.history`` and ``conversations.replies``: reading what was said, newest first or as a thread."""

from __future__ import annotations

from bot.practice import display
from bot.practice.methods.table import Call, Method
from bot.practice.shapes import Json, SlackError
from bot.practice.state import Channel, Message

PAGE_MOST = 999


def _between(call: Call, messages: list[Message]) -> list[Message]:
    oldest, latest = call.args.text("oldest") or "0", call.args.text("latest") or ""
    try:
        low, high = float(oldest), float(latest) if latest else float("inf")
    except ValueError as problem:
        raise SlackError("invalid_ts_oldest") from problem
    if call.args.flag("inclusive"):
        return [one for one in messages if low <= float(one.ts) <= high]
    return [one for one in messages if low < float(one.ts) < high]


def _readable(call: Call) -> Channel:
    channel = call.channel("history")
    if call.me.id not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _answer(call: Call, channel: Channel, found: list[Message]) -> Json:
    page, more = call.args.page(found, most=PAGE_MOST)
    full = call.args.flag("include_all_metadata")
    body: Json = {
        "messages": [display.with_replies(one, channel, all_metadata=full) for one in page],
        "has_more": bool(more["next_cursor"]),
        "pin_count": len(channel.pins),
    }
    return {**body, "response_metadata": more} if more["next_cursor"] else body


def history(call: Call) -> Json:
    """Newest first; replies in threads are not in it, unless broadcast."""
    channel = _readable(call)
    found = [one for one in channel.live_messages() if one.thread_ts in (None, one.ts) or one.broadcast]
    return _answer(call, channel, list(reversed(_between(call, found))))


def replies(call: Call) -> Json:
    """A thread, parent first."""
    channel = _readable(call)
    parent = call.world.find(channel, call.args.need("ts"))
    if parent is None:
        raise SlackError("thread_not_found")
    root = parent.thread_ts or parent.ts
    answers = [one for one in channel.live_messages() if one.thread_ts == root and one.ts != root]
    return _answer(call, channel, [parent, *_between(call, answers)] if parent.ts == root else [parent])


METHODS = (
    Method("conversations.history", history, 3, takes_json=False),
    Method("conversations.replies", replies, 3, takes_json=False),
)
