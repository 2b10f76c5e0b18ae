"""The world: all state of one workspace, how things in it are found, numbered and stamped.

Decides ids, timestamps and visibility. Who may do what is decided by the methods (for the app) and by ``people``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.practice.changes import Changes
from bot.practice.record import Record, Version
from bot.practice.shapes import Json
from bot.practice.state import Channel, File, Message, User, UserGroup, View
from bot.practice.tickets import Tickets

TEAM_ID = "T0PRACTICE"
TEAM_DOMAIN = "practice"
APP_ID = "A0FIRSTHOUR"
BOT_ID = "B0FIRSTHOUR"
BOT_USER_ID = "U0FIRSTHOUR"
SLACKBOT = "USLACKBOT"


@dataclass
class World:
    """Everything there is."""

    now: Callable[[], float]
    url: str = "http://127.0.0.1/"
    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, UserGroup] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    ephemerals: list[Message] = field(default_factory=list)
    views: dict[str, View] = field(default_factory=dict)
    stacks: dict[str, list[str]] = field(default_factory=dict)
    """per person: ids of the open modals, the top one last"""
    homes: dict[str, str] = field(default_factory=dict)
    """per person: id of the published Home tab"""
    files: dict[str, File] = field(default_factory=dict)
    record: Record = field(default_factory=Record)
    changes: Changes = field(default_factory=Changes)
    emit: Callable[[Json], None] = field(default=lambda event: None)
    """sends an event to the app; set by the server"""
    serial: int = 0
    last_ts: int = 0

    def __post_init__(self) -> None:
        self.tickets = Tickets(self.now)

    def next_id(self, prefix: str) -> str:
        """A new id such as ``C00000001``."""
        self.serial += 1
        return f"{prefix}0{self.serial:07X}"

    def next_ts(self) -> str:
        """A message timestamp: never the same twice, never going back."""
        self.last_ts = max(int(self.now() * 1_000_000), self.last_ts + 1)
        return f"{self.last_ts // 1_000_000}.{self.last_ts % 1_000_000:06d}"

    def touch(self) -> None:
        """Say that something changed."""
        self.changes.touch()

    @property
    def bot(self) -> User:
        """The app's bot user."""
        return self.users[BOT_USER_ID]

    def user(self, ref: str) -> User | None:
        """A person by id or name."""
        wanted = ref.removeprefix("@")
        return self.users.get(wanted) or next((one for one in self.users.values() if one.name == wanted), None)

    def channel(self, ref: str) -> Channel | None:
        """A channel by id or name."""
        wanted = ref.removeprefix("#")
        if wanted in self.channels:
            return self.channels[wanted]
        return next((one for one in self.channels.values() if one.name == wanted and not one.is_im), None)

    def direct(self, *users: str) -> Channel:
        """The direct conversation of these people, opened where there is none."""
        members = sorted(set(users))
        for channel in self.channels.values():
            if (channel.is_im or channel.is_mpim) and sorted(channel.members) == members:
                return channel
        pair = len(members) <= 2
        channel = Channel(
            self.next_id("D" if pair else "C"),
            "directmessage" if pair else "mpdm-" + "--".join(self.users[one].name for one in members) + "-1",
            BOT_USER_ID,
            int(self.now()),
            is_private=True,
            is_im=pair,
            is_mpim=not pair,
            members=members,
        )
        self.channels[channel.id] = channel
        return channel

    def visible(self, channel: Channel, user: str) -> bool:
        """Whether a user can see a channel at all."""
        if user in channel.members:
            return True
        return not channel.is_private and not self.users[user].is_restricted

    def find(self, channel: Channel, ts: str) -> Message | None:
        """A message that exists."""
        message = channel.messages.get(ts)
        return None if message is None or message.deleted else message

    def ephemeral(self, user: str, ts: str) -> Message | None:
        """An ephemeral message that this person still sees."""
        return next((m for m in self.ephemerals if m.ts == ts and m.ephemeral_to == user and not m.deleted), None)

    def stack(self, user: str) -> list[View]:
        """A person's open modals, the top one last."""
        return [self.views[one] for one in self.stacks.get(user, [])]

    def version(self, message: Message, change: str) -> None:
        """Write a message's new state into the record and tell everybody waiting."""
        self.record.versions.append(
            Version(message.channel, message.ts, self.now(), change, message.text, list(message.blocks))
        )
        self.touch()
