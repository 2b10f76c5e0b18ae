"""What Slack sends becomes one frozen value, parsed once (slack.md §4). Nothing past this file reads a payload.

Decides the key under which each act counts once (design law 4). What is done about an act is the edge's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.slack import buttons
from bot.slack.feature import TYPED, Heard, SharedMessage
from bot.slack.forms import Values

Body = Mapping[str, Any]
SEPARATOR = ";"
"""`private_metadata` is the channel in which a modal was opened, this, and what the feature wrote into it."""


@dataclass(frozen=True)
class Act:
    """One inbound act of a person."""

    user: str
    key: str
    name: str = ""
    """The action id, callback id or shortcut."""
    text: str = ""
    """What follows `/incident`."""
    channel: str | None = None
    trigger_id: str | None = None
    response_url: str | None = None
    message_ts: str | None = None
    incident: int | None = None
    value: str = ""
    values: Values = field(default_factory=dict)
    message: SharedMessage | None = None


def slash(body: Body) -> Act:
    return Act(
        user=body["user_id"],
        key=f"{TYPED}{body['trigger_id']}",
        text=body.get("text") or "",
        channel=body.get("channel_id"),
        trigger_id=body["trigger_id"],
        response_url=body.get("response_url"),
    )


def click(body: Body) -> Act:
    """A button, an overflow or a select. An option's value stands for the button's."""
    action = body["actions"][0]
    chosen = action.get("selected_option") or {}
    incident, value = buttons.parse(chosen.get("value") or action.get("value") or "")
    container = body.get("container") or {}
    return Act(
        user=body["user"]["id"],
        key=f"click:{action['action_ts']}:{body['user']['id']}:{action['action_id']}",
        name=action["action_id"],
        channel=(body.get("channel") or {}).get("id") or container.get("channel_id"),
        trigger_id=body.get("trigger_id"),
        response_url=body.get("response_url"),
        message_ts=container.get("message_ts"),
        incident=incident,
        value=value,
    )


def submission(body: Body) -> Act:
    view = body["view"]
    channel, _, carried = (view.get("private_metadata") or "").partition(SEPARATOR)
    incident, value = buttons.parse(carried)
    return Act(
        user=body["user"]["id"],
        key=f"view:{view['id']}",
        name=view["callback_id"],
        channel=channel or None,
        trigger_id=body.get("trigger_id"),
        incident=incident,
        value=value,
        values=view["state"]["values"],
    )


def shortcut(body: Body) -> Act:
    return Act(
        user=body["user"]["id"],
        key=f"shortcut:{body['action_ts']}:{body['user']['id']}:{body['callback_id']}",
        name=body["callback_id"],
        trigger_id=body["trigger_id"],
    )


def message_shortcut(body: Body) -> Act:
    channel, message = body["channel"]["id"], body["message"]
    domain = (body.get("team") or {}).get("domain")
    shared = SharedMessage(
        channel=channel,
        ts=message["ts"],
        author=message.get("user") or message.get("bot_id") or "",
        text=message.get("text") or "",
        files=_ids(message.get("files")),
        permalink=f"https://{domain}.slack.com/archives/{channel}/p{message['ts'].replace('.', '')}"
        if domain
        else None,
    )
    return replace(
        shortcut(body), channel=channel, response_url=body.get("response_url"), message_ts=shared.ts, message=shared
    )


def heard(body: Body) -> Heard | None:
    """An event; None for what this bot did itself. Its incident is looked up by the edge."""
    event = body["event"]
    user = event.get("user_id") or event.get("user") or ""
    ourselves = {one.get("user_id") for one in body.get("authorizations") or () if one.get("is_bot")}
    if not isinstance(user, str) or user in ourselves:
        return None
    named = event.get("channel_id") or event.get("channel")
    return Heard(
        type=event["type"],
        key=body["event_id"],
        user=user,
        channel=named if isinstance(named, str) else None,
        files=_ids([{"id": event.get("file_id")}, *(event.get("files") or ())]),
        tab=event.get("tab") or "",
        ts=event.get("event_ts") or "",
    )


def _ids(files: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one["id"] for one in files or () if isinstance(one.get("id"), str) and one["id"]))


def someone(body: Body) -> Act | None:
    """Whoever did it, where nothing else of the payload could be read: somebody has to be told."""
    user = body.get("user_id") or (body.get("user") or {}).get("id")
    channel = body.get("channel_id") or (body.get("channel") or {}).get("id")
    return Act(user, "", channel=channel, response_url=body.get("response_url")) if user else None
