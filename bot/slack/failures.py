"""What an error of Slack's means: the one table of codes, each with words for the person who reads why it stayed undone.

Decides permanent or temporary, certain or not. Making the call is `client`'s; what follows is each handler's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

ALREADY = frozenset({"already_in_channel", "already_pinned", "already_reacted", "already_archived"})
"""What was wanted is so already: as good as done."""
LIMITED = frozenset({"ratelimited", "rate_limited", "accesslimited", "message_limit_exceeded"})
UNCERTAIN = frozenset({"fatal_error", "internal_error", "request_timeout"})
"""It may have happened in part (slack.md §3): look before repeating."""
OPERATOR = "Whoever runs Firsthour must mend it: "
TEMPORARY: dict[str, str] = {
    "service_unavailable": "Slack is not available at the moment",
    "team_added_to_org": "the workspace is being moved into an organisation",
    "external_channel_migrating": "the channel is being moved",
    "invalid_auth": OPERATOR + "Slack does not accept the bot token",
    "not_authed": OPERATOR + "no bot token was sent",
    "account_inactive": OPERATOR + "the app was uninstalled or its account deactivated",
    "token_revoked": OPERATOR + "the bot token was revoked",
    "token_expired": OPERATOR + "the bot token has expired",
}
"""Tried again: none of it has to do with what was asked, and it passes or is mended from outside."""
PERMANENT: dict[str, str] = {
    "channel_not_found": "the channel does not exist any more, or Firsthour was removed from it. Invite it again",
    "not_in_channel": "Firsthour is not a member of the channel. Invite it there",
    "is_archived": "the channel is archived. Unarchive it to go on there",
    "is_inactive": "the channel is archived or frozen. Unarchive it to go on there",
    "name_taken": "another channel has that name",
    "restricted_action": "an admin of this workspace does not allow it. Ask them to let the app do it",
    "cannot_create_channel": "an admin of this workspace does not let apps create channels. Ask them to allow it",
    "restricted_action_read_only_channel": "only some people may post in that channel. Let the app post there",
    "missing_scope": OPERATOR + "the app lacks a permission. Install it again with the manifest",
    "not_allowed_token_type": OPERATOR + "the token is not a bot token (xoxb-)",
    "no_permission": OPERATOR + "the app lacks a permission. Install it again with the manifest",
    "org_login_required": OPERATOR + "the app must be approved by the organisation",
    "team_access_not_granted": OPERATOR + "the app must be given access to this workspace",
    "invalid_blocks": "Slack refused how the message is built. Report it as a fault of Firsthour",
    "invalid_blocks_format": "Slack refused how the message is built. Report it as a fault of Firsthour",
    "msg_blocks_too_long": "Slack says that the message is too long. Report it as a fault of Firsthour",
    "msg_too_long": "Slack says that the message is too long. Report it as a fault of Firsthour",
    "no_text": "the message was empty. Report it as a fault of Firsthour",
    "too_long": "the topic was too long. Report it as a fault of Firsthour",
    "message_not_found": "the message was deleted",
    "cant_update_message": "the message cannot be changed any more",
    "edit_window_closed": "the workspace does not let old messages be changed",
    "too_many_pins": "the channel has 100 pins already. Take one away and pin the card by hand",
    "not_pinnable": "the message cannot be pinned",
    "user_not_found": "there is no such person in this workspace",
    "users_not_found": "nobody in this workspace has that e-mail address",
    "user_disabled": "the account is deactivated",
    "user_not_visible": "Firsthour may not see that person",
    "cant_invite": "the account is deactivated or is a bot",
    "cant_invite_self": "that is Firsthour itself",
    "cannot_dm_bot": "that account is a bot",
    "user_is_restricted": "guests cannot be added to this channel",
    "ura_max_channels": "a single-channel guest is in another channel already",
    "invitee_cant_see_channel": "that person cannot see the channel",
    "org_user_not_in_team": "that person is not in this workspace. Add them to it first",
    "no_external_invite_permission": "people of other organisations cannot be invited",
    "no_such_subteam": "there is no such user group",
    "plan_upgrade_required": "this workspace's plan has no user groups. List people in the roster instead",
    "method_not_supported_for_channel_type": "that kind of channel does not allow it",
    "file_uploads_disabled": "an admin of this workspace does not allow files. Ask them to let the app share them",
    "storage_limit_reached": "the workspace has no room for more files. Delete some, then ask for the document again",
    "file_upload_size_restricted": "the file is larger than this workspace allows",
    "posting_to_channel_denied": "the app may not share files in that channel. Ask an admin to allow it",
    "messages_tab_disabled": "direct messages to the app are switched off. Switch them on in the app's settings",
}


@dataclass(frozen=True)
class Failure:
    method: str
    error: str
    """Slack's code, or ours: `paced`, `http_503`, `not_reached`, `no_answer`, `unreadable`."""
    why: str
    """In words for the room."""
    after: timedelta | None = None
    """Exact, where Slack or our own pace named a time."""
    uncertain: bool = False
    """It may have happened: look before repeating."""
    permanent: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)


def refused(method: str, error: str, data: Mapping[str, Any]) -> Failure:
    """What `{"ok": false, "error": …}` means. A code that is not in the table is permanent: Slack did answer."""
    if error in LIMITED:
        return Failure(method, error, "Slack asks to slow down", after=timedelta(seconds=1), data=data)
    if error in UNCERTAIN:
        return Failure(method, error, "Slack had an error of its own", uncertain=True, data=data)
    if error in TEMPORARY:
        return Failure(method, error, TEMPORARY[error], data=data)
    why = PERMANENT.get(error, "Slack refused it")
    if error == "missing_scope" and isinstance(data.get("needed"), str):
        why = f"{OPERATOR}the app lacks the permission {data['needed'][:80]}. Install it again with the manifest"
    return Failure(method, error, f"{why} ({error})", permanent=True, data=data)
