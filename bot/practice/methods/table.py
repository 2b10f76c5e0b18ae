"""The shape of a method and what every method is handed. Decides how scopes are named and checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.practice.arguments import Arguments
from bot.practice.shapes import Json, SlackError
from bot.practice.state import Channel, User
from bot.practice.world import World


@dataclass
class Token:
    """A credential of the app: a bot token with scopes or an app-level token."""

    kind: str
    """bot or app"""
    scopes: frozenset[str]
    error: str = ""
    """e.g. token_revoked, account_inactive: what every call with it answers"""


@dataclass
class Call:
    """One call of a method."""

    world: World
    args: Arguments
    token: Token

    @property
    def me(self) -> User:
        """The bot user."""
        return self.world.bot

    def channel(self, family: str, error: str = "channel_not_found", name: str = "channel") -> Channel:
        """The channel named in the arguments, where the bot can see it and holds the scope of the family (read,
        history, manage)."""
        ref = self.args.need(name, error)
        found = self.world.channels.get(ref)
        if found is None or not self.world.visible(found, self.me.id):
            raise SlackError(error)
        self.scope_for(found, family)
        return found

    def scope_for(self, channel: Channel, family: str) -> None:
        """Refuse where the token lacks the family's scope for this kind of channel."""
        if family:
            needs_scope(self.token, channel_scope(channel, family))

    def inside(self, channel: Channel) -> None:
        """Refuse where the bot is not a member, or the channel is archived."""
        if self.me.id not in channel.members:
            raise SlackError("not_in_channel")
        if channel.archived:
            raise SlackError("is_archived")

    def not_direct(self, channel: Channel) -> None:
        """Refuse direct messages."""
        if channel.is_im or channel.is_mpim:
            raise SlackError("method_not_supported_for_channel_type")


def channel_scope(channel: Channel, family: str) -> str:
    """The scope that a family of methods needs for a channel, such as ``groups:history``."""
    if channel.is_im or channel.is_mpim:
        kind = "im" if channel.is_im else "mpim"
        return f"{kind}:{'write' if family == 'manage' else family}"
    if channel.is_private:
        return "groups:write" if family == "manage" else f"groups:{family}"
    return f"channels:{family}"


def needs_scope(token: Token, scope: str) -> None:
    """Raise ``missing_scope`` where the token lacks it."""
    if scope and scope not in token.scopes:
        raise SlackError("missing_scope", needed=scope, provided=",".join(sorted(token.scopes)))


@dataclass(frozen=True)
class Method:
    """A row of the table."""

    name: str
    run: Callable[[Call], Json]
    tier: int
    scope: str = ""
    """needed whatever the channel; methods on channels check more themselves"""
    token: str = "bot"  # the kind of token, no secret
    takes_json: bool = True


DEFAULT_SCOPES = frozenset(
    {
        "channels:manage",
        "channels:read",
        "channels:history",
        "channels:join",
        "groups:write",
        "groups:read",
        "groups:history",
        "chat:write",
        "pins:write",
        "pins:read",
        "bookmarks:write",
        "bookmarks:read",
        "files:write",
        "files:read",
        "canvases:write",
        "reactions:write",
        "reactions:read",
        "users:read",
        "users:read.email",
        "usergroups:read",
        "commands",
        "app_mentions:read",
        "im:write",
        "im:read",
        "im:history",
        "mpim:write",
        "mpim:read",
        "mpim:history",
        "team:read",
    }
)
