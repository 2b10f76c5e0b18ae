"""What is wrong with an alert, field by field, and what to do. Never echoes a value: it may hold the secret that leaked.

Decides the words. What an alert must be is `AlertIn`'s.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

PLAIN_NAME = re.compile(r"^[A-Za-z0-9_.-]{1,60}$")
"""A key that is shown back. Any other is the sender's text, not a name."""

SAYS: Mapping[str, str] = {
    "missing": "is missing; add it",
    "model_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
    "string_type": "must be text",
    "string_unicode": "holds text that is not valid Unicode; replace the broken characters",
    "string_too_short": "is empty; fill it in or leave it out",
    "string_too_long": "is longer than {max_length} characters; shorten it",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "finite_number": "must be a finite number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "tuple_type": "must be a JSON array",
    "too_long": "has more than {max_length} entries; send fewer",
    "enum": "is not known; use {expected}",
    "timezone_aware": "has no time zone; write it as 2026-11-21T19:43:01Z",
}
TIME = "is not a time; write it as 2026-11-21T19:43:01Z"


def problems(error: ValidationError, model: type[BaseModel]) -> list[dict[str, str]]:
    """`[{"field": "subject.kind", "problem": "is missing; add it"}]`"""
    details = error.errors(include_url=False, include_input=False)
    return [{"field": _field(detail, model), "problem": _problem(detail, model)} for detail in details]


def sentence(fields: Iterable[Mapping[str, str]]) -> str:
    """The same in one line, for an alert that is one of many."""
    return "; ".join(f"`{field['field']}` {field['problem']}" for field in fields)


def _field(detail: ErrorDetails, model: type[BaseModel]) -> str:
    parts = [str(part) for part in detail["loc"]]
    return ".".join(part if PLAIN_NAME.match(part) else "(unnamed)" for part in parts) or "(the body)"


def _problem(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(str(detail["loc"][-1]), model if len(detail["loc"]) == 1 else None)
    if kind.startswith(("datetime", "date_")) or kind == "time_out_of_range":
        return TIME
    words = SAYS.get(kind)
    return words.format_map(context) if words else "cannot be read; see /openapi.json for what it must be"


def _unknown(key: str, model: type[BaseModel] | None) -> str:
    near = difflib.get_close_matches(key[:60], model.model_fields, n=1) if model else []
    return f"is not a field; did you mean `{near[0]}`?" if near else "is not a field; remove it"
