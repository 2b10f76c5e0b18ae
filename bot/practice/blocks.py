"""Block Kit validation of messages, modals and Home tabs: every limit of ``slack.md`` §2, in Slack's words.

Decides whether Slack would accept some blocks and how it would say no. ``message_blocks`` and ``view`` raise
``SlackError``; ``problems`` lists what is wrong. Unknown block types and unknown keys are refused, as Slack does.
"""

from __future__ import annotations

import json
from typing import Any

from bot.practice import mrkdwn
from bot.practice.checks import WEB_LINK, Rule, Shape, Walk, anything, chars, flag, items, last, link, one_of, words
from bot.practice.elements import cell_chars, context_element, cumulative, element, field_text
from bot.practice.shapes import Json, SlackError

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
ALL_TEXT = 13_200  # bolt-js#2509
VIEW_BYTES = 250_000
TABLE_CHARS = 10_000


def _one(place: str) -> Rule:
    check = element(place)

    def rule(walk: Walk, node: Json, pointer: str) -> None:
        check(walk, node[last(pointer)], pointer)

    return rule


def _table_rows(walk: Walk, node: Json, pointer: str) -> None:
    if walk.total("table", 1) > 1:
        walk.bad("only one table allowed", pointer.rsplit("/", 1)[0])
    items(100, lambda walk, row, at: items(20, lambda *_: None)(walk, {"row": row}, at + "/row"))(walk, node, pointer)
    if cell_chars(node["rows"]) > TABLE_CHARS:
        walk.bad(f"must be less than {TABLE_CHARS + 1} characters in all cells", pointer)


def _children(walk: Walk, node: Json, pointer: str) -> None:
    items(10, lambda walk, child, at: _block(walk, child, at, inside="container"))(walk, node, pointer)


def _cards(walk: Walk, node: Json, pointer: str) -> None:
    items(10, lambda walk, child, at: _block(walk, child, at, inside="carousel"))(walk, node, pointer)


ANYWHERE = ("message", "modal", "home")
CARD: dict[str, Rule] = {
    "title": words(150, mrkdwn=True),
    "subtitle": words(150, mrkdwn=True),
    "body": words(200, mrkdwn=True),
    "subtext": words(200, mrkdwn=True),
    "icon": anything,
    "slack_icon": anything,
    "hero_image": anything,
    "actions": items(3, element("card")),
}
IMAGE: dict[str, Rule] = {
    "image_url": link(WEB_LINK),
    "slack_file": anything,
    "alt_text": chars(2000),
    "title": words(2000),
}
VIDEO_KEYS = (
    "title",
    "title_url",
    "description",
    "video_url",
    "thumbnail_url",
    "author_name",
    "provider_name",
    "provider_icon_url",
    "alt_text",
)
SHAPES: dict[str, Shape] = {
    "section": Shape(
        {
            "text": words(3000, mrkdwn=True),
            "fields": items(10, field_text),
            "accessory": _one("accessory"),
            "expand": flag,
        }
    ),
    "header": Shape({"text": words(150), "level": anything}, ("text",)),
    "divider": Shape({}),
    "context": Shape({"elements": items(10, context_element)}, ("elements",)),
    "actions": Shape({"elements": items(25, element("actions"))}, ("elements",)),
    "image": Shape(IMAGE, ("alt_text",)),
    "input": Shape(
        {
            "label": words(2000),
            "hint": words(2000),
            "element": _one("input"),
            "optional": flag,
            "dispatch_action": flag,
        },
        ("label", "element"),
    ),
    "rich_text": Shape({"elements": items(1000, lambda *_: None, 0)}, ("elements",)),
    "video": Shape(dict.fromkeys(VIDEO_KEYS, anything), ("title", "video_url", "thumbnail_url", "alt_text")),
    "markdown": Shape({"text": cumulative("markdown", 12_000)}, ("text",), ("message",)),
    "context_actions": Shape({"elements": items(5, element("context_actions"))}, ("elements",), ("message",)),
    "table": Shape({"rows": _table_rows, "column_settings": anything}, ("rows",), ("message",)),
    "task_card": Shape(
        dict.fromkeys(("task_id", "title", "details", "output", "sources"), anything)
        | {"status": one_of("pending", "in_progress", "complete", "error")},
        ("task_id", "title"),
        ("message",),
    ),
    "plan": Shape({"title": anything, "tasks": items(50, lambda *_: None, 0)}, ("title",), ("message",)),
    "alert": Shape(
        {"text": words(200, mrkdwn=True), "level": one_of("default", "info", "warning", "error", "success")},
        ("text",),
        ("modal",),
    ),
    "card": Shape(CARD, (), ("message", "home")),
    "carousel": Shape({"elements": _cards}, ("elements",), ("message", "home")),
    "container": Shape(
        {
            "title": words(150, mrkdwn=True),
            "subtitle": words(150, mrkdwn=True),
            "child_blocks": _children,
            "width": one_of("narrow", "standard", "wide", "full"),
            "is_collapsible": flag,
            "default_collapsed": flag,
            "icon": anything,
        },
        ("child_blocks",),
        ("message", "home"),
    ),
    "data_table": Shape(dict.fromkeys(("caption", "rows", "page_size"), anything), ("rows",), ("message", "home")),
    "data_visualization": Shape({"title": chars(50), "chart": anything}, ("title",), ("message", "home")),
}
CONTAINED = frozenset(
    {"actions", "context", "divider", "header", "image", "input", "rich_text", "section", "table", "video"}
)
INSIDE: dict[str, frozenset[str]] = {
    "": frozenset(SHAPES),
    "carousel": frozenset({"card"}),
    "container": CONTAINED,
}


def _block(walk: Walk, node: Any, pointer: str, inside: str = "") -> None:
    """One block."""
    if not isinstance(node, dict):
        walk.bad("must be an object", pointer)
        return
    kind = node.get("type")
    shape = SHAPES.get(str(kind))
    if shape is None or kind not in INSIDE[inside] or walk.surface not in shape.surfaces:
        walk.bad(f"unsupported type: {kind}", f"{pointer}/type")
        return
    walk.action_ids = set()
    _block_id(walk, node, pointer)
    shape.check(walk, {key: value for key, value in node.items() if key != "block_id"}, pointer)
    if kind == "section" and node.get("text") is None and node.get("fields") is None:
        walk.bad("must provide either text or fields", pointer)
    if kind == "image" and ("image_url" in node) == ("slack_file" in node):
        walk.bad("must provide either image_url or slack_file", pointer)
    if kind == "card" and not any(node.get(key) for key in ("title", "body", "hero_image", "actions")):
        walk.bad("must provide a title, body, hero_image or actions", pointer)


def _block_id(walk: Walk, node: Json, pointer: str) -> None:
    block_id = node.get("block_id")
    if block_id is None:
        return
    before = len(walk.problems)
    chars(255, 0)(walk, node, f"{pointer}/block_id")
    if len(walk.problems) == before and block_id:
        if block_id in walk.block_ids:
            walk.bad(f'`block_id` "{block_id}" already exists', f"{pointer}/block_id")
        walk.block_ids.add(block_id)


def problems(blocks: Any, surface: str, root: str = "") -> list[str]:
    """Everything Slack would say against these blocks on a surface (message, modal, home)."""
    walk = Walk(surface)
    if not isinstance(blocks, list):
        walk.bad("must be an array", f"{root}/blocks")
        return walk.problems
    most = MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS
    if len(blocks) > most:
        walk.bad(f"no more than {most} items allowed", f"{root}/blocks")
    for index, block in enumerate(blocks):
        _block(walk, block, f"{root}/blocks/{index}")
    return walk.problems


def message_blocks(blocks: Any) -> None:
    """Raise what ``chat.postMessage`` and its sisters answer to bad blocks."""
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    if found := problems(blocks, "message"):
        if any("only one table allowed" in one for one in found):
            raise SlackError("invalid_attachments", errors=found)
        raise SlackError(
            "invalid_blocks",
            errors=found,
            response_metadata={"messages": [f"[ERROR] {one}" for one in found]},
        )
    if sum(len(piece.text) for piece in mrkdwn.pieces(blocks)) > ALL_TEXT:
        raise SlackError("msg_blocks_too_long")


MODAL = Shape(
    {
        "title": words(24),
        "submit": words(24),
        "close": words(24),
        "private_metadata": chars(3000, 0),
        "callback_id": chars(255, 0),
        "external_id": chars(255, 0),
        "clear_on_close": flag,
        "notify_on_close": flag,
        "submit_disabled": flag,
        "blocks": anything,
    },
    ("title", "blocks"),
)
HOME = Shape(
    {
        "private_metadata": chars(3000, 0),
        "callback_id": chars(255, 0),
        "external_id": chars(255, 0),
        "blocks": anything,
    },
    ("blocks",),
)


def view(definition: Any, kind: str) -> None:
    """Raise what the ``views.*`` methods answer to a bad view of a kind (modal or home)."""
    walk = Walk(kind)
    if not isinstance(definition, dict):
        raise _bad_view(["must be an object [json-pointer:/view]"])
    if len(json.dumps(definition, ensure_ascii=False, separators=(",", ":")).encode()) > VIEW_BYTES:
        raise SlackError("view_too_large")
    if definition.get("type") != kind:
        walk.bad(f"unsupported type: {definition.get('type')}", "/view/type")
    (MODAL if kind == "modal" else HOME).check(walk, definition, "/view")
    blocks = definition.get("blocks")
    if blocks is not None:
        walk.problems.extend(problems(blocks, kind, "/view"))
    shown = blocks if isinstance(blocks, list) else []
    has_input = any(isinstance(block, dict) and block.get("type") == "input" for block in shown)
    if kind == "modal" and has_input and not definition.get("submit"):
        walk.bad("missing required field: submit, needed with input blocks", "/view")
    if walk.problems:
        raise _bad_view(walk.problems)


def _bad_view(found: list[str]) -> SlackError:
    return SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {one}" for one in found]})
