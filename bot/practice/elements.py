"""The table of Block Kit's elements and composition objects: what each may hold, where it may stand.

Numbers are those of ``slack.md`` §2. ``blocks.py`` reads the tables; nothing here knows about messages or views.
"""

from __future__ import annotations

from typing import Any

from bot.practice.checks import (
    WEB_LINK,
    Rule,
    Shape,
    Walk,
    anything,
    chars,
    flag,
    items,
    last,
    link,
    measure,
    number,
    one_of,
    pattern,
    text_object,
    words,
)
from bot.practice.shapes import Json

OPTION_TEXT, OPTION_VALUE, OPTION_DESCRIPTION = 75, 150, 75


def option(*, mrkdwn: bool = False, url: bool = False) -> Any:
    """An option object; radio buttons and checkboxes allow mrkdwn, an overflow menu allows a URL."""
    rules: dict[str, Rule] = {
        "text": words(OPTION_TEXT, mrkdwn=mrkdwn),
        "value": chars(OPTION_VALUE),
        "description": words(OPTION_DESCRIPTION, mrkdwn=mrkdwn),
    }
    if url:
        rules["url"] = link()
    shape = Shape(rules, ("text", "value"))

    def check(walk: Walk, node: Any, pointer: str) -> None:
        if isinstance(node, dict):
            shape.check(walk, node, pointer)
        else:
            walk.bad("must be an object", pointer)

    return check


def _group(walk: Walk, node: Any, pointer: str) -> None:
    Shape({"label": words(75), "options": items(100, option())}, ("label", "options")).check(walk, node, pointer)


CONFIRM = Shape(
    {
        "title": words(100),
        "text": words(300, mrkdwn=True),
        "confirm": words(30),
        "deny": words(30),
        "style": one_of("primary", "danger"),
    },
    ("title", "text", "confirm", "deny"),
)


def confirm(walk: Walk, node: Json, pointer: str) -> None:
    """A confirmation dialog."""
    value = node[last(pointer)]
    if isinstance(value, dict):
        CONFIRM.check(walk, value, pointer)
    else:
        walk.bad("must be an object", pointer)


def _initial(walk: Walk, node: Json, pointer: str) -> None:
    """An initial option, or several, must be among the options, exactly."""
    value = node[last(pointer)]
    wanted = value if isinstance(value, list) else [value]
    offered = [_essence(one) for one in offered_options(node)]
    for index, one in enumerate(wanted):
        if not isinstance(one, dict) or _essence(one) not in offered:
            walk.bad("must match one of the options", f"{pointer}/{index}" if isinstance(value, list) else pointer)


def _essence(one: Json) -> tuple[Any, Any]:
    return (one.get("value"), (one.get("text") or {}).get("text"))


def offered_options(element: Json) -> list[Json]:
    """All options of an element, groups flattened."""
    found = [one for one in element.get("options") or [] if isinstance(one, dict)]
    for group in element.get("option_groups") or []:
        if isinstance(group, dict):
            found.extend(one for one in group.get("options") or [] if isinstance(one, dict))
    return found


ACTION: dict[str, Rule] = {"action_id": chars(255), "confirm": confirm, "focus_on_load": flag}
PLACEHOLDER: dict[str, Rule] = {"placeholder": words(150)}
OPTIONS: dict[str, Rule] = {"options": items(100, option()), "option_groups": items(100, _group)}
ANY_LIST: dict[str, Rule] = {"max_selected_items": number(1, 1000)}
DISPATCH: dict[str, Rule] = {"dispatch_action_config": anything}
TEXT_FIELD: dict[str, Rule] = {"action_id": chars(255), "focus_on_load": flag, **PLACEHOLDER, **DISPATCH}
DATE = pattern(r"\d{4}-\d{2}-\d{2}", "a date of the form YYYY-MM-DD")
TIME = pattern(r"\d{2}:\d{2}", "a time of the form HH:mm")
TIGHT = ("section", "actions", "input")


def _select(kind: str, rules: dict[str, Rule]) -> dict[str, Shape]:
    """A select menu and its multi form."""
    return {
        f"{kind}_select": Shape({**ACTION, **PLACEHOLDER, **rules}),
        f"multi_{kind}_select": Shape({**ACTION, **PLACEHOLDER, **rules, **ANY_LIST}),
    }


IDS = items(100, lambda walk, value, pointer: None if isinstance(value, str) else walk.bad("must be a string", pointer))

SHAPES: dict[str, Shape] = {
    "button": Shape(
        {
            "action_id": chars(255),
            "text": words(75),
            "value": chars(2000),
            "url": link(),
            "style": one_of("primary", "danger"),
            "confirm": confirm,
            "accessibility_label": chars(75),
            "agent_prompt": chars(4000),
            "visible_to_user_ids": IDS,
        },
        ("text",),
    ),
    "overflow": Shape({**ACTION, "options": items(5, option(url=True))}, ("options",)),
    "checkboxes": Shape(
        {**ACTION, "options": items(10, option(mrkdwn=True)), "initial_options": _initial}, ("options",)
    ),
    "radio_buttons": Shape(
        {**ACTION, "options": items(10, option(mrkdwn=True)), "initial_option": _initial}, ("options",)
    ),
    **_select("static", {**OPTIONS, "initial_option": _initial, "initial_options": _initial}),
    **_select(
        "external", {"initial_option": anything, "initial_options": anything, "min_query_length": number(0, 3000)}
    ),
    **_select("users", {"initial_user": chars(255), "initial_users": IDS}),
    **_select("channels", {"initial_channel": chars(255), "initial_channels": IDS, "response_url_enabled": flag}),
    **_select(
        "conversations",
        {
            "initial_conversation": chars(255),
            "initial_conversations": IDS,
            "default_to_current_conversation": flag,
            "response_url_enabled": flag,
            "filter": anything,
        },
    ),
    "datepicker": Shape({**ACTION, **PLACEHOLDER, "initial_date": DATE}),
    "timepicker": Shape({**ACTION, **PLACEHOLDER, "initial_time": TIME, "timezone": chars(255)}),
    "datetimepicker": Shape(
        {**ACTION, "initial_date_time": number(1_000_000_000, 9_999_999_999)}, surfaces=("message", "modal")
    ),
    "plain_text_input": Shape(
        {
            **TEXT_FIELD,
            "multiline": flag,
            "min_length": number(0, 3000),
            "max_length": number(1, 3000),
            "initial_value": chars(3000, 0),
        }
    ),
    "rich_text_input": Shape({**TEXT_FIELD, "initial_value": anything}, surfaces=("modal", "home")),
    "email_text_input": Shape({**TEXT_FIELD, "initial_value": chars(3000)}, surfaces=("modal",)),
    "url_text_input": Shape({**TEXT_FIELD, "initial_value": chars(3000)}, surfaces=("modal",)),
    "number_input": Shape(
        {
            **TEXT_FIELD,
            "is_decimal_allowed": flag,
            "initial_value": anything,
            "min_value": anything,
            "max_value": anything,
        },
        ("is_decimal_allowed",),
        surfaces=("modal",),
    ),
    "file_input": Shape(
        {"action_id": chars(255), "filetypes": anything, "max_files": number(1, 10)}, surfaces=("modal",)
    ),
    "workflow_button": Shape(
        {**ACTION, "text": words(75), "workflow": anything, "style": one_of("primary", "danger")}, ("text", "workflow")
    ),
    "feedback_buttons": Shape(
        {**ACTION, "positive_button": anything, "negative_button": anything}, ("positive_button", "negative_button")
    ),
    "icon_button": Shape(
        {**ACTION, "icon": chars(255), "text": words(75), "value": chars(2000), "accessibility_label": chars(75)},
        ("icon", "text"),
    ),
    "image": Shape({"image_url": link(WEB_LINK), "alt_text": chars(2000), "slack_file": anything}, ("alt_text",)),
}

MULTI = tuple(kind for kind in SHAPES if kind.startswith("multi_"))
SINGLE = ("static_select", "external_select", "users_select", "channels_select", "conversations_select")
PICKERS = ("checkboxes", "radio_buttons", "datepicker", "timepicker")
PLACES: dict[str, frozenset[str]] = {
    "accessory": frozenset({"button", "overflow", "image", "workflow_button", *PICKERS, *SINGLE, *MULTI}),
    "actions": frozenset({"button", "overflow", "workflow_button", "datetimepicker", *PICKERS, *SINGLE}),
    "input": frozenset(
        {
            "plain_text_input",
            "rich_text_input",
            "email_text_input",
            "url_text_input",
            "number_input",
            "file_input",
            "datetimepicker",
            *PICKERS,
            *SINGLE,
            *MULTI,
        }
    ),
    "context_actions": frozenset({"feedback_buttons", "icon_button"}),
    "card": frozenset({"button"}),
}
"""which elements may stand where"""


def element(place: str) -> Any:
    """A check of one element at a place: accessory, actions, input, context_actions or card."""

    def check(walk: Walk, node: Any, pointer: str) -> None:
        kind = node.get("type") if isinstance(node, dict) else None
        shape = SHAPES.get(str(kind))
        if shape is None or kind not in PLACES[place] or walk.surface not in shape.surfaces:
            walk.bad(f"unsupported type: {kind}", f"{pointer}/type")
            return
        shape.check(walk, node, pointer)
        _whole(walk, str(kind), node, pointer)
        action_id = node.get("action_id")
        if isinstance(action_id, str):
            if action_id in walk.action_ids:
                walk.bad(f'`action_id` "{action_id}" already exists', f"{pointer}/action_id")
            walk.action_ids.add(action_id)

    return check


def _whole(walk: Walk, kind: str, node: Json, pointer: str) -> None:
    """Rules over several keys of an element."""
    if kind in ("static_select", "multi_static_select") and ("options" in node) == ("option_groups" in node):
        walk.bad("must provide either options or option_groups", pointer)
    if kind == "plain_text_input":
        least, most = node.get("min_length"), node.get("max_length")
        if isinstance(least, int) and isinstance(most, int) and least > most:
            walk.bad("min_length must not be greater than max_length", f"{pointer}/min_length")
    if kind == "image" and ("image_url" in node) == ("slack_file" in node):
        walk.bad("must provide either image_url or slack_file", pointer)


def context_element(walk: Walk, node: Any, pointer: str) -> None:
    """A context block holds images and texts."""
    if isinstance(node, dict) and node.get("type") == "image":
        SHAPES["image"].check(walk, node, pointer)
        _whole(walk, "image", node, pointer)
    else:
        text_object(walk, node, pointer, 3000, mrkdwn=True)


def field_text(walk: Walk, node: Any, pointer: str) -> None:
    """One field of a section."""
    text_object(walk, node, pointer, 2000, mrkdwn=True)


def cell_chars(node: Any) -> int:
    """How many characters a table cell shows."""
    if isinstance(node, dict):
        return sum(len(v) if k == "text" and isinstance(v, str) else cell_chars(v) for k, v in node.items())
    return sum(cell_chars(item) for item in node) if isinstance(node, list) else 0


def cumulative(name: str, most: int) -> Rule:
    """A string whose kind may hold ``most`` characters over the whole message."""

    def rule(walk: Walk, node: Json, pointer: str) -> None:
        value = node[last(pointer)]
        if not isinstance(value, str):
            walk.bad("must be a string", pointer)
            return
        measure(walk, value, pointer, most)
        if walk.total(name, len(value)) > most >= len(value):
            walk.bad(f"must be less than {most + 1} characters in all {name} blocks", pointer)

    return rule
