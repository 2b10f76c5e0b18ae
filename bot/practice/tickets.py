"""Trigger ids, response URLs and Socket Mode tickets: things that Slack hands out and that wear out.

Decides how long each lives and how often it works (``slack.md`` §1.2, §1.3). Time comes from the workspace's clock.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.practice.shapes import SlackError

TRIGGER_SECONDS = 3.0
HOOK_USES = 5
HOOK_SECONDS = 30 * 60.0
SOCKET_TICKET_SECONDS = 30.0


@dataclass
class Trigger:
    """A person's click or command, exchangeable for a modal."""

    id: str
    user: str
    issued: float
    view_id: str | None = None
    """the modal it came from; only such a trigger may push"""
    used: bool = False


@dataclass
class Hook:
    """A response URL: where an answer to one interaction may be posted."""

    url: str
    key: str
    user: str
    channel: str
    issued: float
    message_ts: str | None = None
    """the message that was clicked; None after a slash command or a shortcut"""
    ephemeral: bool = False
    uses: int = 0


@dataclass
class Tickets:
    """Everything handed out."""

    now: Callable[[], float]
    triggers: dict[str, Trigger] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)
    sockets: dict[str, float] = field(default_factory=dict)

    def trigger(self, user: str, view_id: str | None = None) -> str:
        """A new trigger id."""
        issued = self.now()
        one = Trigger(f"{len(self.triggers) + 1}.{int(issued)}.{secrets.token_hex(12)}", user, issued, view_id)
        self.triggers[one.id] = one
        return one.id

    def exchange(self, trigger_id: str) -> Trigger:
        """Use a trigger id up; raises ``SlackError``."""
        one = self.check(trigger_id)
        one.used = True
        return one

    def check(self, trigger_id: str) -> Trigger:
        """A trigger that would still work; raises ``SlackError`` where it is unknown, used or older than 3 s."""
        one = self.triggers.get(trigger_id)
        if one is None:
            raise SlackError("invalid_trigger_id")
        if one.used:
            raise SlackError("exchanged_trigger_id")
        if self.now() - one.issued > TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        return one

    def hook(self, base: str, kind: str, user: str, channel: str, **origin: str | bool | None) -> Hook:
        """A new response URL under ``base``; ``kind`` is commands, actions or app."""
        key = secrets.token_urlsafe(18)
        ts = origin.get("message_ts")
        one = Hook(
            f"{base}hooks/{kind}/T0PRACTICE/{len(self.hooks) + 1}/{key}",
            key,
            user,
            channel,
            self.now(),
            message_ts=ts if isinstance(ts, str) else None,
            ephemeral=origin.get("ephemeral") is True,
        )
        self.hooks[key] = one
        return one

    def use_hook(self, key: str) -> Hook:
        """Use a response URL once; raises ``SlackError`` with Slack's code where it is unknown or worn out."""
        one = self.hooks.get(key)
        if one is None:
            raise SlackError("no_active_hooks")
        if self.now() - one.issued > HOOK_SECONDS:
            raise SlackError("expired_url")
        if one.uses >= HOOK_USES:
            raise SlackError("used_url")
        one.uses += 1
        return one

    def socket(self) -> str:
        """A single-use ticket for one connection."""
        ticket = secrets.token_urlsafe(18)
        self.sockets[ticket] = self.now()
        return ticket

    def use_socket(self, ticket: str) -> bool:
        """Whether the ticket opens a connection; it never does again."""
        issued = self.sockets.pop(ticket, None)
        return issued is not None and self.now() - issued <= SOCKET_TICKET_SECONDS
