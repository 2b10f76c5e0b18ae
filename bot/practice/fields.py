"""What a person can put into an interactive element, and how Slack writes it in ``state.values`` and ``actions``.

Decides whether a value is possible (raises ``CannotDo``) and its entry. Pure: knows nothing of messages or views.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bot.practice.elements import offered_options
from bot.practice.shapes import CannotDo, Json
from bot.practice.state import Typed, elements_of

Value = str | int | float | bool | list[str] | None
Resolve = Callable[[str, str], str]
"""turns a person's or channel's name into an id: ``resolve(kind, name)``"""

TEXT_INPUTS = ("plain_text_input", "email_text_input", "url_text_input", "number_input")
SINGLE_KEYS = {
    "users_select": ("selected_user", "initial_user", "user"),
    "channels_select": ("selected_channel", "initial_channel", "channel"),
    "conversations_select": ("selected_conversation", "initial_conversation", "channel"),
    "datepicker": ("selected_date", "initial_date", ""),
    "timepicker": ("selected_time", "initial_time", ""),
    "datetimepicker": ("selected_date_time", "initial_date_time", ""),
}
MULTI_KEYS = {
    "multi_users_select": ("selected_users", "initial_users", "user"),
    "multi_channels_select": ("selected_channels", "initial_channels", "channel"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations", "channel"),
}
OPTION_ONE = ("static_select", "radio_buttons", "external_select")
OPTION_MANY = ("checkboxes", "multi_static_select", "multi_external_select")
STATEFUL = frozenset(
    {*TEXT_INPUTS, *SINGLE_KEYS, *MULTI_KEYS, *OPTION_ONE, *OPTION_MANY, "rich_text_input", "file_input"}
)
ECHOED = ("placeholder", "initial_option", "initial_options", "initial_user", "initial_date", "confirm", "style")


def initial(element: Json) -> Json:
    """The entry of an element that nobody touched."""
    kind = element["type"]
    entry: Json = {"type": kind}
    if kind in TEXT_INPUTS:
        entry["value"] = element.get("initial_value")
    elif kind in SINGLE_KEYS:
        entry[SINGLE_KEYS[kind][0]] = element.get(SINGLE_KEYS[kind][1])
    elif kind in MULTI_KEYS:
        entry[MULTI_KEYS[kind][0]] = list(element.get(MULTI_KEYS[kind][1]) or [])
    elif kind in OPTION_ONE:
        entry["selected_option"] = element.get("initial_option")
    elif kind in OPTION_MANY:
        entry["selected_options"] = list(element.get("initial_options") or [])
    elif kind == "rich_text_input":
        entry["rich_text_value"] = element.get("initial_value")
    elif kind == "file_input":
        entry["files"] = []
    return entry


def state(blocks: list[Json], typed: Typed) -> Typed:
    """Every stateful element with what was typed, or its initial value."""
    return {
        key: typed.get(key) or initial(element)
        for block, element in elements_of(blocks)
        if element["type"] in STATEFUL
        for key in [(str(block["block_id"]), str(element["action_id"]))]
    }


def entry(element: Json, value: Value, resolve: Resolve, offered: list[Json] | None = None) -> Json:
    """The entry after a person gave a value; raises ``CannotDo`` where the element cannot hold it."""
    kind = element["type"]
    if kind in TEXT_INPUTS:
        return {"type": kind, "value": _text(element, value)}
    if kind in OPTION_ONE:
        return {"type": kind, "selected_option": None if value is None else _option(element, value, offered)}
    if kind in OPTION_MANY:
        return {"type": kind, "selected_options": [_option(element, one, offered) for one in _many(element, value)]}
    if kind in MULTI_KEYS:
        key, _, what = MULTI_KEYS[kind]
        return {"type": kind, key: [resolve(what, str(one)) for one in _many(element, value)]}
    if kind in SINGLE_KEYS:
        key, _, what = SINGLE_KEYS[kind]
        return {"type": kind, key: _single(kind, what, value, resolve)}
    if kind == "rich_text_input":
        return {"type": kind, "rich_text_value": rich_text(str(value)) if value is not None else None}
    if kind == "file_input":
        return {"type": kind, "files": [{"id": resolve("file", one)} for one in _files(element, value)]}
    raise CannotDo(f"nothing can be put into a {kind}")


def _single(kind: str, what: str, value: Value, resolve: Resolve) -> Any:
    if value is None:
        return None
    if what:
        return resolve(what, str(value))
    if kind == "datetimepicker":
        return int(str(value))
    form = r"\d{4}-\d{2}-\d{2}" if kind == "datepicker" else r"\d{2}:\d{2}"
    if not re.fullmatch(form, str(value)):
        raise CannotDo(f"{value!r} cannot be picked in a {kind}")
    return value


def _many(element: Json, value: Value) -> list[str]:
    chosen = [] if value is None else value if isinstance(value, list) else [str(value)]
    most = element.get("max_selected_items")
    if most and len(chosen) > most:
        raise CannotDo(f"only {most} can be selected")
    return chosen


def _files(element: Json, value: Value) -> list[str]:
    """Ids of uploaded files."""
    chosen = [] if value is None else value if isinstance(value, list) else [str(value)]
    if len(chosen) > int(element.get("max_files") or 10):
        raise CannotDo(f"only {element.get('max_files') or 10} files fit")
    return chosen


def _option(element: Json, value: object, offered: list[Json] | None) -> Json:
    options = offered_options(element) if offered is None else offered
    for one in options:
        if one["value"] == str(value):
            return one
    raise CannotDo(f"{value!r} is not offered; there are: {', '.join(str(one['value']) for one in options)}")


def _text(element: Json, value: Value) -> str | None:
    if value is None or value == "":
        return None
    text, kind = str(value), element["type"]
    if kind == "number_input":
        form = r"-?\d+(\.\d+)?" if element.get("is_decimal_allowed") else r"-?\d+"
        if not re.fullmatch(form, text):
            raise CannotDo(f"{text!r} is not a number that this field takes")
        _bounds(element, float(text))
    elif kind == "email_text_input" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        raise CannotDo(f"{text!r} is not an e-mail address")
    elif kind == "url_text_input" and not re.fullmatch(r"https?://\S+", text):
        raise CannotDo(f"{text!r} is not a URL")
    elif kind == "plain_text_input":
        if len(text) > int(element.get("max_length") or 3000):
            raise CannotDo(f"longer than the field's {element.get('max_length') or 3000} characters")
        if len(text) < int(element.get("min_length") or 0):
            raise CannotDo(f"shorter than the field's {element['min_length']} characters")
        if "\n" in text and not element.get("multiline"):
            raise CannotDo("the field takes a single line")
    return text


def _bounds(element: Json, value: float) -> None:
    least, most = element.get("min_value"), element.get("max_value")
    if least is not None and value < float(least):
        raise CannotDo(f"less than {least}")
    if most is not None and value > float(most):
        raise CannotDo(f"more than {most}")


def empty(one: Json) -> bool:
    """Whether an entry holds nothing."""
    return not any(value for key, value in one.items() if key != "type")


def rich_text(text: str) -> Json:
    """Plain text as Slack's rich text."""
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [section]}


def action(block: Json, element: Json, change: Json, ts: str) -> Json:
    """One item of ``actions``: what was pressed or chosen, with Slack's echoes."""
    body: Json = {"type": element["type"], "action_id": element["action_id"], "block_id": block["block_id"]}
    body |= {key: element[key] for key in ECHOED if key in element}
    if element["type"] == "button":
        body |= {key: element[key] for key in ("text", "value", "url") if key in element}
    return {**body, **change, "action_ts": ts}
