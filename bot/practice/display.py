"""How things look in Slack's JSON: users, channels, messages, views, files, as the Web API and payloads show them."""

from __future__ import annotations

from typing import Any

from bot.practice.shapes import Json
from bot.practice.state import Channel, File, Message, Typed, User, UserGroup, View
from bot.practice.world import APP_ID, BOT_ID, BOT_USER_ID, TEAM_ID, World


def user(one: User) -> Json:
    """As ``users.info`` shows a person."""
    profile: Json = {"real_name": one.real_name, "display_name": one.name, "team": TEAM_ID}
    if one.email:
        profile["email"] = one.email
    if one.id == BOT_USER_ID:
        profile |= {"bot_id": BOT_ID, "api_app_id": APP_ID}
    return {
        "id": one.id,
        "team_id": TEAM_ID,
        "name": one.name,
        "deleted": one.deleted,
        "real_name": one.real_name,
        "tz": one.tz,
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
        "profile": profile,
        "is_admin": one.is_admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": one.is_restricted,
        "is_ultra_restricted": False,
        "is_bot": one.is_bot,
        "is_app_user": False,
        "updated": 0,
    }


def group(one: UserGroup) -> Json:
    """As ``usergroups.list`` shows a group."""
    return {
        "id": one.id,
        "team_id": TEAM_ID,
        "is_usergroup": True,
        "name": one.name,
        "handle": one.handle,
        "description": "",
        "date_delete": 1 if one.disabled else 0,
        "user_count": len(one.users),
        "users": list(one.users),
    }


def channel(one: Channel, viewer: str) -> Json:
    """As ``conversations.info`` shows a channel."""
    if one.is_im:
        other = next((member for member in one.members if member != viewer), viewer)
        return {"id": one.id, "created": one.created, "is_im": True, "is_archived": False, "user": other}
    return {
        "id": one.id,
        "name": one.name,
        "name_normalized": one.name,
        "is_channel": not one.is_private,
        "is_group": one.is_private and not one.is_mpim,
        "is_im": False,
        "is_mpim": one.is_mpim,
        "is_private": one.is_private,
        "created": one.created,
        "creator": one.creator,
        "is_archived": one.archived,
        "is_general": one.is_general,
        "is_member": viewer in one.members,
        "is_shared": False,
        "is_ext_shared": False,
        "is_org_shared": False,
        "context_team_id": TEAM_ID,
        "topic": {"value": one.topic, "creator": one.creator if one.topic else "", "last_set": one.created},
        "purpose": {"value": one.purpose, "creator": one.creator if one.purpose else "", "last_set": one.created},
        "previous_names": [],
    }


def message(one: Message, *, all_metadata: bool = True) -> Json:
    """As history, payloads and events show a message."""
    body: Json = {"type": "message", "user": one.user, "text": one.text, "ts": one.ts, "team": TEAM_ID}
    if one.by_app:
        body |= {"bot_id": BOT_ID, "app_id": APP_ID}
    for key in ("blocks", "attachments", "subtype", "thread_ts", "edited", "files"):
        if value := getattr(one, key):
            body[key] = value
    if one.files:
        body["files"] = [dict(shared) for shared in one.file_objects]
    if one.metadata:
        body["metadata"] = dict(one.metadata) if all_metadata else {"event_type": one.metadata["event_type"]}
    if one.reactions:
        body["reactions"] = [
            {"name": name, "users": list(users), "count": len(users)} for name, users in one.reactions.items()
        ]
    return body


def with_replies(one: Message, parent_of: Channel, *, all_metadata: bool) -> Json:
    """A message in history, with what Slack adds to the parent of a thread."""
    body = message(one, all_metadata=all_metadata)
    replies = [m for m in parent_of.live_messages() if m.thread_ts == one.ts and m.ts != one.ts]
    if replies:
        body |= {
            "thread_ts": one.ts,
            "reply_count": len(replies),
            "reply_users": sorted({reply.user for reply in replies}),
            "reply_users_count": len({reply.user for reply in replies}),
            "latest_reply": replies[-1].ts,
        }
    return body


def values(typed: Typed) -> Json:
    """``state.values`` from what was typed."""
    state: Json = {}
    for (block_id, action_id), entry in typed.items():
        state.setdefault(block_id, {})[action_id] = entry
    return {"values": state}


def view(one: View, state: Typed | None = None) -> Json:
    """As ``views.*`` answers and interaction payloads show a view."""
    raw = one.raw
    body: Json = {
        "id": one.id,
        "team_id": TEAM_ID,
        "type": one.type,
        "blocks": one.blocks,
        "private_metadata": one.private_metadata,
        "callback_id": one.callback_id,
        "state": values(state or {}),
        "hash": one.hash,
        "title": raw.get("title"),
        "clear_on_close": bool(raw.get("clear_on_close", False)),
        "notify_on_close": bool(raw.get("notify_on_close", False)),
        "close": raw.get("close"),
        "submit": raw.get("submit"),
        "previous_view_id": one.previous_id,
        "root_view_id": one.root_id,
        "app_id": APP_ID,
        "external_id": one.external_id,
        "app_installed_team_id": TEAM_ID,
        "bot_id": BOT_ID,
    }
    return body


def file(one: File, world: World) -> Json:
    """As ``files.info`` shows a file."""
    return {
        "id": one.id,
        "name": one.name,
        "title": one.title or one.name,
        "size": one.size,
        "user": one.user,
        "channels": list(one.channels),
        "permalink": f"{world.url}files/{one.id}",
        "mimetype": one.mimetype,
        "alt_txt": one.alt,
        "created": one.created,
        "mode": "hosted",
        "is_external": False,
        "url_private": f"{world.url}files/{one.id}/content",
        "url_private_download": f"{world.url}files/{one.id}/download",
        **one.marks,
    }


def stamp(blocks: Any, world: World) -> list[Json]:
    """Blocks as Slack keeps them: with block ids and action ids filled in and text objects completed."""
    return [_stamp_block(block, world) for block in blocks or []]


def _stamp_block(block: Json, world: World) -> Json:
    done: Json = _complete(block)
    if not done.get("block_id"):
        done["block_id"] = world.next_id("b")
    for key in ("accessory", "element"):
        if isinstance(done.get(key), dict):
            _stamp_element(done[key], world)
    if done["type"] in ("actions", "context_actions"):
        for element in done["elements"]:
            _stamp_element(element, world)
    if "child_blocks" in done:
        done["child_blocks"] = stamp(done["child_blocks"], world)
    return done


def _stamp_element(element: Json, world: World) -> None:
    if element.get("type") != "image" and not element.get("action_id"):
        element["action_id"] = world.next_id("a")


def _complete(node: Any) -> Any:
    if isinstance(node, list):
        return [_complete(item) for item in node]
    if not isinstance(node, dict):
        return node
    done = {key: _complete(value) for key, value in node.items() if value is not None}
    if done.get("type") == "plain_text":
        done.setdefault("emoji", True)
    elif done.get("type") == "mrkdwn":
        done.setdefault("verbatim", False)
    return done
