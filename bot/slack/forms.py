"""A modal's state becomes the verb's model; what does not fit becomes an error under its input.

Decides how each kind of input is read. Every input's block id is a field's name; the rest a form carries in its metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bot.incident.visible import visible
from bot.slack.feature import Form
from bot.slack.fields import convert, explain, is_flag

C = TypeVar("C")
Values = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""`view.state.values` as Slack sends it: block id → action id → input."""


class FormErrors(Exception):
    """What is wrong, by block id. Answered before the ack, so that the modal stays open."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("the form does not fit")
        self.errors = errors


def read(form: Form[C], values: Values, *, incident: int | None = None, carried: str = "") -> BaseModel:
    """The form's model. Raises FormErrors, whose keys are always block ids of this form."""
    filled: dict[str, object] = dict(zip(form.carries, carried.split("|"), strict=False))
    wrong: dict[str, str] = {}
    if incident is not None and "incident" in form.model.model_fields:
        filled["incident"] = incident
    for block, inputs in values.items():
        field = form.model.model_fields.get(block)
        given = next((_given(one) for one in inputs.values()), None)
        if field is None or given is None:
            continue
        try:
            filled[block] = (
                bool(given) if is_flag(field) else convert(field, given) if isinstance(given, str) else given
            )
        except ValueError as error:
            wrong[block] = str(error)
    try:
        model = form.model.model_validate(filled)
    except ValidationError as error:
        raise FormErrors(_by_block({**explain(error, form.model), **wrong}, values)) from error
    if wrong:
        raise FormErrors(_by_block(wrong, values))
    return model


def _by_block(errors: Mapping[str, str], values: Values) -> Mapping[str, str]:
    """Errors under blocks that exist: what has no input of its own is said under the first."""
    first = next(iter(values), "")
    placed: dict[str, str] = {}
    for name, message in errors.items():
        block = name if name in values else first
        shown = visible(message)
        placed[block] = f"{placed[block]} {shown}" if block in placed else shown
    return placed


def _given(element: Mapping[str, Any]) -> object:
    """What one input holds; None where it was left empty."""
    match element.get("type"):
        case "static_select" | "radio_buttons" | "external_select":
            option = element.get("selected_option")
            return option["value"] if option else None
        case "checkboxes" | "multi_static_select":
            return tuple(option["value"] for option in element.get("selected_options") or ())
        case "file_input":
            return tuple(file["id"] for file in element.get("files") or ()) or None
        case "users_select":
            return element.get("selected_user")
        case "conversations_select":
            return element.get("selected_conversation")
        case "datepicker":
            return element.get("selected_date")
        case "datetimepicker":
            chosen = element.get("selected_date_time")
            return datetime.fromtimestamp(chosen, UTC) if chosen is not None else None
        case _:
            text = str(element.get("value") or "").strip()
            return text or None
