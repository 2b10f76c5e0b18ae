"""What a field of a verb's model takes, and what is wrong with a value, in words for the person.

Decides how text becomes a severity, a word or a time, and how pydantic's findings read. Where the text comes from is
decided by `parse` (the slash command) and `forms` (a modal).
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from bot.incident.words import Severity

IncidentNumber = Annotated[int, Field(ge=1, le=999_999_999, title="incident")]
"""`INC-12` and `12` are the same incident."""
Person = Annotated[str, Field(pattern=r"^[UW][A-Z0-9]{2,}$")]
"""A Slack user id; people write a mention."""
WHOLE_MODEL = ""
"""The key of what is wrong with the fields together."""


def base(field: FieldInfo) -> Any:
    """The field's type without `None`."""
    annotation = field.annotation
    if get_origin(annotation) in {Union, types.UnionType}:
        kinds = [kind for kind in get_args(annotation) if kind is not types.NoneType]
        annotation = kinds[0]
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def is_text(field: FieldInfo) -> bool:
    return base(field) is str


def is_flag(field: FieldInfo) -> bool:
    return base(field) is bool


def label(name: str, field: FieldInfo | None) -> str:
    return (field.title if field and field.title else name.replace("_", " ")) or "value"


def convert(field: FieldInfo, text: str) -> object:
    """The text as the field's type would have it written. Raises ValueError; pydantic judges what is left as it is."""
    kind = base(field)
    if kind is Severity:
        return Severity.parse(text)
    if kind is datetime:
        return _time(text)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return text.strip().casefold().replace("-", "_").replace(" ", "_")
    if kind is int and text[:4].casefold() == "inc-":
        return text[4:]
    return text


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError("A time is written like 2026-11-21T14:05 (UTC) or 2026-11-21T14:05+01:00.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that was probably meant."""
    return next(iter(difflib.get_close_matches(word.casefold(), known, n=1, cutoff=0.6)), None)


def explain(error: ValidationError, model: type[BaseModel]) -> Mapping[str, str]:
    """What is wrong, field by field, in plain text (not mrkdwn)."""
    found: dict[str, str] = {}
    for detail in error.errors(include_url=False):
        name = str(detail["loc"][0]) if detail["loc"] else WHOLE_MODEL
        found.setdefault(name, _sentence(name, model.model_fields.get(name), detail))
    return found


def _sentence(name: str, field: FieldInfo | None, detail: ErrorDetails) -> str:
    called, context = label(name, field), detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return f"The {called} is missing."
        case "enum":
            return _not_one_of(called, str(detail["input"]), field)
        case "string_too_short":
            return f"The {called} is empty."
        case "string_too_long":
            return f"The {called} is too long: at most {context.get('max_length')} characters."
        case "int_parsing" | "int_type" | "int_from_float" | "int_parsing_size":
            return f"The {called} must be a number, not “{_clip(detail['input'])}”."
        case "greater_than_equal" | "less_than_equal" | "greater_than" | "less_than":
            return f"The {called} cannot be {_clip(detail['input'])}."
        case "string_pattern_mismatch":
            return f"“{_clip(detail['input'])}” is not {_a(called)}. Pick a person with @."
        case "value_error":
            return str(context.get("error", detail["msg"]))
        case _:
            return f"The {called} does not fit: {detail['msg']}."


def _not_one_of(called: str, given: str, field: FieldInfo | None) -> str:
    kind = base(field) if field is not None else None
    known = [str(word.value) for word in kind] if isinstance(kind, type) and issubclass(kind, StrEnum) else []
    meant = nearest(given, known)
    hint = f" Did you mean {meant}?" if meant else ""
    return f"“{_clip(given)}” is not {_a(called)}.{hint} Use one of: {', '.join(known)}."


def _a(called: str) -> str:
    return f"{'an' if called[:1] in 'aeio' else 'a'} {called}"


def _clip(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:39] + "…"
