"""The limits of a message in Slack (slack.md §2), and the check of rendered blocks that the SDK does not make.

Decides what Slack would refuse. Making blocks that fit is `kit`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

BLOCKS, ALL_CHARS, TEXT_CHARS = 50, 13_200, 4_000
"""Of one message. The total is not documented; 13,200 was measured (bolt-js#2509)."""
SECTION_CHARS, FIELD_CHARS, HEADER_CHARS, CONTEXT_CHARS, ID_CHARS = 3_000, 2_000, 150, 3_000, 255
FIELDS, CONTEXT_ELEMENTS, ACTION_ELEMENTS, OVERFLOW_OPTIONS, SELECT_OPTIONS = 10, 10, 25, 5, 100
LABEL_CHARS, VALUE_CHARS, OPTION_VALUE_CHARS, PLACEHOLDER_CHARS = 75, 2_000, 150, 150
CONFIRM_TITLE_CHARS, CONFIRM_TEXT_CHARS, CONFIRM_BUTTON_CHARS = 100, 300, 30


class KitError(ValueError):
    """A message that Slack would refuse was about to be made."""


KEPT = "_rendered"


def render(block: Block) -> dict[str, Any]:
    """A block as Slack gets it, kept with it: the SDK takes half a millisecond for each, and ours never change once made."""
    kept: dict[str, Any] | None = vars(block).get(KEPT)
    if kept is None:
        kept = vars(block)[KEPT] = block.to_dict()
    return kept


def check_blocks(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """The blocks as Slack gets them. Raises KitError."""
    try:
        rendered = [render(block) for block in blocks]
    except SlackObjectFormationError as error:
        raise KitError(str(error)) from error
    _unique("block_id", [block["block_id"] for block in rendered if "block_id" in block])
    for block in rendered:
        _unique("action_id", list(_action_ids(block)))
        for node in _nodes(block):
            _check_node(node)
    return rendered


def weight(rendered: Any) -> int:
    """Characters of every text of some rendered blocks, dialogs included."""
    return sum(len(node["text"]) for node in _nodes(rendered) if isinstance(node.get("text"), str))


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for item in node:
            yield from _nodes(item)
    elif isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _nodes(value)


def _check_node(node: dict[str, Any]) -> None:
    for key in ("block_id", "action_id"):
        at_most(ID_CHARS, len(node.get(key, "")), f"characters of {key}")
    if node.get("type") == "mrkdwn" and node.get("verbatim") is not True:
        raise KitError("every mrkdwn object is verbatim, so that no address in it becomes a link")
    for field in node.get("fields", ()):
        at_most(FIELD_CHARS, len(field["text"]), "characters of a field")


def _action_ids(block: dict[str, Any]) -> Iterator[str]:
    return (node["action_id"] for node in _nodes(block) if "action_id" in node)


def _unique(name: str, given: list[str]) -> None:
    repeated = {one for one in given if given.count(one) > 1}
    if repeated:
        raise KitError(f"{name} stands twice: {sorted(repeated)[0]}")


def at_most(limit: int, count: int, what: str) -> None:
    if count > limit:
        raise KitError(f"{count} {what}; Slack takes {limit}")
