"""The workspace's nouns: people, groups, channels, messages, views, files. Plain state, no rules of who may do what.

Methods and people change these through ``World``; a checker may read them at any time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.practice import mrkdwn
from bot.practice.shapes import Json


@dataclass
class User:
    """A person or the bot. ``is_restricted`` is a guest."""

    id: str
    name: str
    real_name: str
    email: str = ""
    is_admin: bool = False
    is_restricted: bool = False
    is_bot: bool = False
    deleted: bool = False
    tz: str = "Etc/UTC"


@dataclass
class UserGroup:
    """A user group such as ``@oncall``."""

    id: str
    handle: str
    name: str
    users: list[str]
    disabled: bool = False


class Button(NamedTuple):
    """A button as a person sees it."""

    action_id: str
    value: str
    text: str
    block_id: str


class Placed(NamedTuple):
    """An interactive element and the block it sits in."""

    block: Json
    element: Json


TypedKey = tuple[str, str]
Typed = dict[TypedKey, Json]


def elements_of(blocks: list[Json]) -> Iterator[Placed]:
    """Every interactive element of some blocks, in reading order."""
    for block in blocks:
        for key in ("accessory", "element"):
            if isinstance(block.get(key), dict):
                yield Placed(block, block[key])
        for element in block.get("elements", []) or []:
            if isinstance(element, dict) and "action_id" in element:
                yield Placed(block, element)
        for child in block.get("child_blocks", []) or []:
            yield from elements_of([child])


def buttons_of(blocks: list[Json]) -> list[Button]:
    """Every button of some blocks."""
    return [
        Button(
            str(element.get("action_id", "")),
            str(element.get("value", "")),
            mrkdwn.unescape(element.get("text", {}).get("text", "")),
            str(block.get("block_id", "")),
        )
        for block, element in elements_of(blocks)
        if element.get("type") == "button"
    ]


@dataclass
class Message:
    """A message, also an ephemeral one (``ephemeral_to`` names its only reader)."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    edited: Json | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    subtype: str | None = None
    by_app: bool = False
    deleted: bool = False
    ephemeral_to: str | None = None
    from_slackbot: bool = False
    files: list[str] = field(default_factory=list)
    file_objects: list[Json] = field(default_factory=list)
    """the files as they were when they were shared"""
    reactions: dict[str, list[str]] = field(default_factory=dict)
    typed: dict[str, Typed] = field(default_factory=dict)
    """per person: what they chose in stateful elements"""

    def buttons(self) -> list[Button]:
        """The buttons a person could press."""
        return buttons_of(self.blocks)

    def plain(self) -> str:
        """All text a person can read, blocks or else the text."""
        if not self.blocks:
            return mrkdwn.unescape(self.text)
        return "\n".join(mrkdwn.unescape(piece.text) for piece in mrkdwn.pieces(self.blocks))

    def live(self) -> mrkdwn.Live:
        """The mentions and links that this message makes live."""
        return mrkdwn.live(self.text, self.blocks)


@dataclass
class View:
    """A modal on a person's stack, or their Home tab."""

    id: str
    user: str
    raw: Json
    """the view as the app sent it, with block ids filled in"""
    hash: str
    root_id: str
    previous_id: str | None = None
    open: bool = True
    typed: Typed = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    """by block id, after a submission that the app refused"""

    @property
    def blocks(self) -> list[Json]:
        """The blocks."""
        blocks: list[Json] = self.raw["blocks"]
        return blocks

    @property
    def type(self) -> str:
        """modal or home"""
        return str(self.raw["type"])

    @property
    def title(self) -> str:
        """The title as read, empty on a Home tab."""
        return mrkdwn.unescape(str((self.raw.get("title") or {}).get("text", "")))

    @property
    def callback_id(self) -> str:
        """The callback id or an empty string."""
        return str(self.raw.get("callback_id") or "")

    @property
    def private_metadata(self) -> str:
        """The private metadata or an empty string."""
        return str(self.raw.get("private_metadata") or "")

    @property
    def external_id(self) -> str:
        """The external id or an empty string."""
        return str(self.raw.get("external_id") or "")

    def inputs(self) -> dict[str, Json]:
        """The input blocks by block id."""
        return {str(block["block_id"]): block for block in self.blocks if block["type"] == "input"}

    def buttons(self) -> list[Button]:
        """The buttons a person could press."""
        return buttons_of(self.blocks)

    def plain(self) -> str:
        """All text a person can read."""
        return "\n".join([self.title, *(mrkdwn.unescape(piece.text) for piece in mrkdwn.pieces(self.blocks))])


@dataclass
class Bookmark:
    """A link in a channel's header."""

    id: str
    channel: str
    title: str
    link: str
    emoji: str = ""


@dataclass
class File:
    """An uploaded file; ``content`` is None until the bytes came."""

    id: str
    name: str
    size: int
    title: str = ""
    user: str = ""
    content: bytes | None = None
    complete: bool = False
    channels: list[str] = field(default_factory=list)
    mimetype: str = "application/octet-stream"
    created: int = 0
    deleted: bool = False
    marks: Json = field(default_factory=dict)
    """what Slack says of it besides: ``is_external``, ``mode``"""
    alt: str = ""
    """what a picture shows, for those who do not see it"""


@dataclass
class Channel:
    """A conversation: public, private, or direct (``is_im``, ``is_mpim``)."""

    id: str
    name: str
    creator: str
    created: int
    is_private: bool = False
    is_im: bool = False
    is_mpim: bool = False
    is_general: bool = False
    archived: bool = False
    topic: str = ""
    purpose: str = ""
    members: list[str] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)
    pins: list[str] = field(default_factory=list)
    bookmarks: list[Bookmark] = field(default_factory=list)
    canvas: str | None = None
    """the markdown of the channel's canvas, where it has one"""

    def live_messages(self) -> list[Message]:
        """The messages that still exist, oldest first."""
        return [message for message in self.messages.values() if not message.deleted]
