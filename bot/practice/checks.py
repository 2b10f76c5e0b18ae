"""The vocabulary of the Block Kit validator: a walk that collects problems, and the rules a table is made of.

Decides how a problem is worded (Slack's words, with a JSON pointer) and nothing about which limit applies where:
those are the tables in ``elements.py`` and ``blocks.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.practice.shapes import Json

LINK = re.compile(r"^(https?|mailto|slack|tel):\S+$", re.IGNORECASE)
WEB_LINK = re.compile(r"^https?://\S+$", re.IGNORECASE)


@dataclass
class Walk:
    """One validation: where it happens and what was found."""

    surface: str
    """message, modal or home"""
    problems: list[str] = field(default_factory=list)
    block_ids: set[str] = field(default_factory=set)
    action_ids: set[str] = field(default_factory=set)
    """of the block being read"""
    counted: dict[str, int] = field(default_factory=dict)
    """running totals over the whole message: characters of markdown blocks, tables, …"""

    def bad(self, reason: str, pointer: str) -> None:
        """Note a problem."""
        self.problems.append(f"{reason} [json-pointer:{pointer}]")

    def total(self, name: str, more: int) -> int:
        """Add to a running total and answer it."""
        self.counted[name] = self.counted.get(name, 0) + more
        return self.counted[name]


Rule = Callable[[Walk, Json, str], None]
"""reads one key of an object at a pointer and notes problems"""


@dataclass(frozen=True)
class Shape:
    """What an object of one type may hold: its rules by key; every other key is refused."""

    rules: dict[str, Rule]
    required: tuple[str, ...] = ()
    surfaces: tuple[str, ...] = ("message", "modal", "home")

    def check(self, walk: Walk, node: Json, pointer: str) -> None:
        """Apply every rule."""
        for key in self.required:
            if node.get(key) is None:
                walk.bad(f"missing required field: {key}", pointer)
        for key, value in node.items():
            if key == "type" or value is None:
                continue
            rule = self.rules.get(key)
            if rule is None:
                walk.bad(f"invalid additional property: {key}", pointer)
            else:
                rule(walk, node, f"{pointer}/{key}")


def last(pointer: str) -> str:
    """The key that a pointer ends in."""
    return pointer.rsplit("/", 1)[1]


def measure(walk: Walk, text: str, pointer: str, most: int, least: int = 1) -> None:
    """The length of a string, in Slack's words."""
    if len(text) < least:
        walk.bad(f"must be more than {least - 1} characters", pointer)
    if len(text) > most:
        walk.bad(f"must be less than {most + 1} characters", pointer)


def chars(most: int, least: int = 1) -> Rule:
    """A plain string of ``least`` to ``most`` characters."""

    def rule(walk: Walk, node: Json, pointer: str) -> None:
        value = node[last(pointer)]
        if not isinstance(value, str):
            walk.bad("must be a string", pointer)
        else:
            measure(walk, value, pointer, most, least)

    return rule


def link(pattern: re.Pattern[str] = LINK, most: int = 3000) -> Rule:
    """A URL of an allowed scheme."""

    def rule(walk: Walk, node: Json, pointer: str) -> None:
        chars(most)(walk, node, pointer)
        value = node[last(pointer)]
        if isinstance(value, str) and not pattern.match(value):
            walk.bad("must be a valid URL", pointer)

    return rule


def one_of(*allowed: str) -> Rule:
    """One of some words."""

    def rule(walk: Walk, node: Json, pointer: str) -> None:
        if node[last(pointer)] not in allowed:
            walk.bad(f"must be one of: {', '.join(allowed)}", pointer)

    return rule


def number(least: int, most: int) -> Rule:
    """A whole number."""

    def rule(walk: Walk, node: Json, pointer: str) -> None:
        value = node[last(pointer)]
        if isinstance(value, bool) or not isinstance(value, int):
            walk.bad("must be an integer", pointer)
        elif not least <= value <= most:
            walk.bad(f"must be between {least} and {most}", pointer)

    return rule


def flag(walk: Walk, node: Json, pointer: str) -> None:
    """A JSON boolean."""
    if not isinstance(node[last(pointer)], bool):
        walk.bad("must be a boolean", pointer)


def pattern(expression: str, words: str) -> Rule:
    """A string of some form."""

    def rule(walk: Walk, node: Json, pointer: str) -> None:
        value = node[last(pointer)]
        if not isinstance(value, str) or not re.fullmatch(expression, value):
            walk.bad(f"must be {words}", pointer)

    return rule


def anything(walk: Walk, node: Json, pointer: str) -> None:
    """A key that Slack checks and we do not."""


def words(most: int, *, plain: bool = True, mrkdwn: bool = False, least: int = 1) -> Rule:
    """A text object of at most ``most`` characters; ``plain`` and ``mrkdwn`` say which kinds are allowed."""

    def rule(walk: Walk, node: Json, pointer: str) -> None:
        text_object(walk, node[last(pointer)], pointer, most, plain=plain, mrkdwn=mrkdwn, least=least)

    return rule


def text_object(
    walk: Walk, node: Any, pointer: str, most: int, *, plain: bool = True, mrkdwn: bool = False, least: int = 1
) -> None:
    """One text object."""
    if not isinstance(node, dict):
        walk.bad("must be an object", pointer)
        return
    kind = node.get("type")
    if not ((kind == "plain_text" and plain) or (kind == "mrkdwn" and mrkdwn)):
        walk.bad(f"unsupported type: {kind}", f"{pointer}/type")
        return
    allowed = {"type", "text", "emoji"} if kind == "plain_text" else {"type", "text", "verbatim"}
    for key in sorted(set(node) - allowed):
        if node[key] is not None:
            walk.bad(f"invalid additional property: {key}", pointer)
    if not isinstance(node.get("text"), str):
        walk.bad("missing required field: text", pointer)
    else:
        measure(walk, node["text"], f"{pointer}/text", most, least)


def items(most: int, each: Callable[[Walk, Any, str], None], least: int = 1) -> Rule:
    """An array of ``least`` to ``most`` things."""

    def rule(walk: Walk, node: Json, pointer: str) -> None:
        value = node[last(pointer)]
        if not isinstance(value, list):
            walk.bad("must be an array", pointer)
            return
        if len(value) > most:
            walk.bad(f"no more than {most} items allowed", pointer)
        if len(value) < least:
            walk.bad(f"no fewer than {least} items allowed" if least > 1 else "must provide at least 1 item", pointer)
        for index, item in enumerate(value):
            each(walk, item, f"{pointer}/{index}")

    return rule
