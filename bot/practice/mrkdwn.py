"""What text does: escaping, and which mentions and links a message makes live.

Written from Slack's description of mrkdwn, not from the bot's kit. ``live`` is for tests with hostile text: it reads
every rendered string the way Slack's clients do and says what would notify someone or be clickable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bot.practice.shapes import Json

ANGLE = re.compile(r"<([^<>\n]+)>")
BARE = re.compile(r"(?<![\w@/|])(?:https?://|mailto:|www\.)[^\s<>|]+", re.IGNORECASE)
RENDERED = ("text", "label", "hint", "title", "subtitle", "body", "subtext", "description", "placeholder", "fields")
NESTED = ("elements", "accessory", "element", "options", "option_groups", "child_blocks", "rows", "actions", "cards")


class Piece(NamedTuple):
    """One string on the screen."""

    text: str
    kind: str
    """mrkdwn, plain_text or markdown"""
    verbatim: bool


@dataclass
class Live:
    """What a message would set off."""

    mentions: list[str] = field(default_factory=list)
    """``<!channel>``, ``<!here>``, ``<!everyone>``, ``<@U…>``, ``<!subteam^S…>``, as written"""
    links: list[str] = field(default_factory=list)
    """explicit targets ``<target|label>`` and URLs of rich text, buttons and options"""
    autolinks: list[str] = field(default_factory=list)
    """bare addresses that Slack makes clickable by itself (not where ``verbatim`` is true)"""
    channels: list[str] = field(default_factory=list)
    """``<#C…>`` references"""

    def __bool__(self) -> bool:
        return bool(self.mentions or self.links or self.autolinks)


def unescape(text: str) -> str:
    """The three entities that Slack decodes."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape(text: str) -> str:
    """Make text inert for mrkdwn, as Slack does with what a person types."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def pieces(blocks: list[Json]) -> Iterator[Piece]:
    """Every string of some blocks that a person reads, in reading order."""
    for block in blocks:
        yield from _pieces(block)


def _pieces(node: Any) -> Iterator[Piece]:
    if isinstance(node, list):
        for item in node:
            yield from _pieces(item)
        return
    if not isinstance(node, dict):
        return
    kind = node.get("type")
    if kind in ("mrkdwn", "plain_text") and isinstance(node.get("text"), str):
        yield Piece(node["text"], kind, bool(node.get("verbatim")))
        return
    if kind == "markdown":
        yield Piece(str(node.get("text", "")), "markdown", False)
        return
    if kind in ("text", "raw_text") and isinstance(node.get("text"), str):
        yield Piece(node["text"], "plain_text", True)
        return
    if kind == "image":
        yield Piece(str(node.get("alt_text", "")), "plain_text", True)
    for key in (*RENDERED, *NESTED):
        if isinstance(node.get(key), dict | list):
            yield from _pieces(node[key])


def live(text: str, blocks: list[Json]) -> Live:
    """What a message with this text and these blocks sets off. Mentions also count in the text beside blocks, since it
    becomes the notification; links there are not clickable and do not count."""
    found = Live()
    _scan(text, found, links=not blocks, bare=not blocks)
    for piece in pieces(blocks):
        if piece.kind != "plain_text":
            _scan(piece.text, found, links=True, bare=not piece.verbatim)
        if piece.kind == "markdown":
            found.links.extend(re.findall(r"\]\(\s*<?([^)\s>]+)", piece.text))
    _scan_urls(blocks, found)
    return found


def _scan(text: str, found: Live, *, links: bool, bare: bool) -> None:
    for inside in ANGLE.findall(text):
        target = inside.split("|", 1)[0]
        if target.startswith("@") or re.match(r"!(channel|here|everyone|group|subteam\^)", target):
            found.mentions.append(f"<{inside}>")
        elif target.startswith("#"):
            found.channels.append(f"<{inside}>")
        elif not target.startswith("!") and links and re.match(r"[a-z][a-z0-9+.-]*:", target, re.IGNORECASE):
            found.links.append(target)
    if bare:
        found.autolinks.extend(BARE.findall(ANGLE.sub(" ", text)))


def _scan_urls(node: Any, found: Live) -> None:
    if isinstance(node, list):
        for item in node:
            _scan_urls(item, found)
    elif isinstance(node, dict):
        if isinstance(node.get("url"), str):
            found.links.append(node["url"])
        if node.get("type") in ("user", "usergroup", "broadcast"):
            found.mentions.append(str(node.get("user_id") or node.get("usergroup_id") or node.get("range")))
        for value in node.values():
            if isinstance(value, dict | list):
                _scan_urls(value, found)
