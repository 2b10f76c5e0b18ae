"""``files.*``: the two-step upload. The bytes themselves go to ``/upload/…``, which ``web`` serves."""

from __future__ import annotations

import mimetypes

from bot.practice import display, events, posting
from bot.practice.methods.table import Call, Method
from bot.practice.shapes import Json, SlackError, invalid_arguments
from bot.practice.state import Channel, File

ALT_CHARS = 1000


def get_upload_url(call: Call) -> Json:
    """Where to send the bytes."""
    name = call.args.need("filename", "missing_argument")
    length = call.args.text("length")
    if not length or not length.isdigit() or int(length) == 0:
        raise SlackError("missing_argument")
    alt = call.args.text("alt_txt") or ""
    if len(alt) > ALT_CHARS:
        raise SlackError("alt_txt_too_large")
    one = File(call.world.next_id("F"), name, int(length), user=call.me.id, alt=alt)
    one.mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
    one.created = int(call.world.now())
    call.world.files[one.id] = one
    return {"upload_url": f"{call.world.url}upload/{one.id}", "file_id": one.id}


def complete(call: Call) -> Json:
    """Share what was uploaded."""
    wanted = call.args.structure("files")
    if not isinstance(wanted, list) or not wanted:
        raise invalid_arguments("missing required field: files")
    world = call.world
    files: list[File] = []
    for entry in wanted:
        one = world.files.get(str(entry.get("id"))) if isinstance(entry, dict) else None
        if one is None or one.content is None or one.complete:
            raise SlackError("file_not_found")
        one.title = str(entry.get("title") or one.name)
        files.append(one)
    channels = [_place(call, ref) for ref in call.args.ids("channels") or call.args.ids("channel_id")]
    for one in files:
        one.complete = True
        one.channels.extend(channel.id for channel in channels)
    for channel in channels:
        _share(call, channel, files)
    world.touch()
    return {"files": [{"id": one.id, "title": one.title} for one in files]}


def _place(call: Call, ref: str) -> Channel:
    channel = call.world.channels.get(ref)
    if channel is None or not call.world.visible(channel, call.me.id):
        raise SlackError("channel_not_found")
    call.inside(channel)
    return channel


def _share(call: Call, channel: Channel, files: list[File]) -> None:
    posting.post(
        call.world,
        channel,
        call.me.id,
        call.args.text("initial_comment") or "",
        files=[one.id for one in files],
        thread_ts=call.args.text("thread_ts"),
    )
    for one in files:
        events.file_shared(call.world, channel, one.id, call.me.id)


def info(call: Call) -> Json:
    """One file."""
    one = call.world.files.get(call.args.need("file", "file_not_found"))
    if one is None or not one.complete:
        raise SlackError("file_not_found")
    if one.deleted:
        raise SlackError("file_deleted")
    return {"file": display.file(one, call.world)}


METHODS = (
    Method("files.getUploadURLExternal", get_upload_url, 4, "files:write"),
    Method("files.completeUploadExternal", complete, 4, "files:write"),
    Method("files.info", info, 4, "files:read", takes_json=False),
)
