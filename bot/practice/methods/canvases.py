"""``conversations.canvases.*``: the one canvas of a channel."""

from __future__ import annotations

from bot.practice.methods.table import Call, Method
from bot.practice.shapes import Json, SlackError, invalid_arguments

MOST_BYTES = 1 << 20


def create(call: Call) -> Json:
    """Give a channel its canvas. Plans without canvases are a fault's: their codes are in ``slack.md`` §3."""
    channel = call.channel("", name="channel_id")
    call.inside(channel)
    call.not_direct(channel)
    content = call.args.structure("document_content")
    if (
        not isinstance(content, dict)
        or content.get("type") != "markdown"
        or not isinstance(content.get("markdown"), str)
    ):
        raise invalid_arguments("must be a document content of type markdown [json-pointer:/document_content]")
    if len(content["markdown"].encode()) > MOST_BYTES:
        raise SlackError("canvas_creation_failed")
    if channel.canvas is not None:
        raise SlackError("channel_canvas_already_exists")
    channel.canvas = content["markdown"]
    call.world.touch()
    return {"canvas_id": call.world.next_id("F")}


METHODS = (Method("conversations.canvases.create", create, 2, "canvases:write"),)
