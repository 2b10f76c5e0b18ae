"""``conversations.*`` about who is in: invite, join, kick, leave, members, and opening direct messages."""

from __future__ import annotations

from bot.practice import display, posting
from bot.practice.methods.table import Call, Method, needs_scope
from bot.practice.shapes import Json, SlackError, invalid_arguments
from bot.practice.state import Channel

INVITES_MOST = 100
DIRECT_MOST = 8


def _why_not(call: Call, channel: Channel, user: str) -> str:
    """Why a user cannot be invited; empty where they can."""
    if user == call.me.id:
        return "cant_invite_self"
    one = call.world.users.get(user)
    if one is None:
        return "user_not_found"
    if one.deleted or one.is_bot:
        return "cant_invite"
    return "already_in_channel" if user in channel.members else ""


def invite(call: Call) -> Json:
    """All or nothing, unless ``force``."""
    channel = call.channel("manage")
    call.not_direct(channel)
    users = call.args.ids("users")
    if not users:
        raise SlackError("no_user")
    if len(users) > INVITES_MOST:
        raise invalid_arguments(f"no more than {INVITES_MOST} items allowed [json-pointer:/users]")
    call.inside(channel)
    errors = [{"user": one, "ok": False, "error": why} for one in users if (why := _why_not(call, channel, one))]
    refused = {str(one["user"]) for one in errors}
    valid = [one for one in dict.fromkeys(users) if one not in refused]
    if errors and not (call.args.flag("force") and valid):
        raise SlackError(str(errors[0]["error"]), errors=errors)
    for one in valid:
        posting.add_member(call.world, channel, one, call.me.id)
    body: Json = {"channel": display.channel(channel, call.me.id)}
    return {**body, "errors": errors} if errors else body


def join(call: Call) -> Json:
    """Public channels only."""
    channel = call.channel("")
    needs_scope(call.token, "channels:join")
    if channel.is_private:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackError("is_archived")
    if call.me.id in channel.members:
        return {
            "channel": display.channel(channel, call.me.id),
            "warning": "already_in_channel",
            "response_metadata": {"warnings": ["already_in_channel"]},
        }
    posting.add_member(call.world, channel, call.me.id)
    return {"channel": display.channel(channel, call.me.id)}


def kick(call: Call) -> Json:
    """Remove somebody."""
    channel = call.channel("manage")
    call.not_direct(channel)
    user = call.args.need("user", "user_not_found")
    if user == call.me.id:
        raise SlackError("cant_kick_self")
    if user not in call.world.users:
        raise SlackError("user_not_found")
    if channel.is_general:
        raise SlackError("cant_kick_from_general")
    call.inside(channel)
    if user not in channel.members:
        raise SlackError("not_in_channel")
    posting.remove_member(call.world, channel, user)
    return {"errors": {}}


def leave(call: Call) -> Json:
    """The bot goes."""
    channel = call.channel("manage")
    call.not_direct(channel)
    if channel.archived:
        raise SlackError("is_archived")
    if channel.is_general:
        raise SlackError("cant_leave_general")
    if call.me.id not in channel.members:
        return {"not_in_channel": True}
    posting.remove_member(call.world, channel, call.me.id)
    return {}


def members(call: Call) -> Json:
    """Who is in."""
    channel = call.channel("read")
    page, more = call.args.page(list(channel.members))
    return {"members": page, "response_metadata": more}


def open_direct(call: Call) -> Json:
    """Open a direct message with one person or a few."""
    if call.args.text("channel"):
        channel = call.channel("")
        if not (channel.is_im or channel.is_mpim):
            raise SlackError("channel_not_found")
    else:
        users = call.args.ids("users")
        if not users:
            raise SlackError("users_list_not_supplied")
        if len(users) > DIRECT_MOST:
            raise SlackError("too_many_users")
        for one in users:
            found = call.world.users.get(one)
            if found is None:
                raise SlackError("user_not_found")
            if found.is_bot:
                raise SlackError("cannot_dm_bot")
        needs_scope(call.token, "im:write" if len(users) == 1 else "mpim:write")
        channel = call.world.direct(call.me.id, *users)
        call.world.touch()
    full = call.args.flag("return_im")
    return {"channel": display.channel(channel, call.me.id) if full else {"id": channel.id}}


METHODS = (
    Method("conversations.invite", invite, 3),
    Method("conversations.join", join, 3),
    Method("conversations.kick", kick, 3),
    Method("conversations.leave", leave, 3),
    Method("conversations.members", members, 4, takes_json=False),
    Method("conversations.open", open_direct, 3),
)
