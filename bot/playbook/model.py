"""What every playbook model shares: the strict base, and the few kinds of text and number they are made of.

Decides lengths (Slack's limits, so that no text is cut in a room). Leaves to each model its fields, and the base itself to
`bot.detection.strict`, because the rules of detection are such models too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated

from pydantic import BeforeValidator, StringConstraints
from pydantic_core import PydanticCustomError

from bot.detection.strict import Count, Id, Minutes, Model, SomeCount, SomeMinutes

StepId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$", max_length=60)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=75)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=280)]
Paragraph = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=900)]
AtlasId = Annotated[str, StringConstraints(pattern=r"^AML\.T\d{4}(\.\d{3})?$")]
MitigationId = Annotated[str, StringConstraints(pattern=r"^AML\.M\d{4}$")]
OwaspId = Annotated[str, StringConstraints(pattern=r"^(LLM|ASI)\d{2}$")]

__all__ = [
    "AtlasId",
    "Count",
    "Id",
    "Minutes",
    "MitigationId",
    "Model",
    "Offset",
    "OwaspId",
    "Paragraph",
    "SomeCount",
    "SomeMinutes",
    "StepId",
    "Text",
    "Title",
    "one_of",
]


def one_of(words: Iterable[str]) -> Callable[[object], object]:
    """A validator for a word of a list where no enum or Literal of one piece exists; refused in the same words as those."""
    known = tuple(words)
    expected = ", ".join(f"'{word}'" for word in known)

    def check(value: object) -> object:
        if value not in known:
            raise PydanticCustomError("enum", "not a known word", {"expected": expected})
        return value

    return check


UNITS = {"m": 1, "h": 60, "d": 60 * 24}


def _offset(value: object) -> object:
    """`30m`, `4h` and `14d` to minutes; anything else is left for pydantic to refuse."""
    if isinstance(value, str) and value[:-1].isdecimal() and value[-1:] in UNITS:
        return int(value[:-1]) * UNITS[value[-1]]
    if isinstance(value, int):
        raise ValueError("give the unit: `30m`, `4h` or `14d`")  # noqa: TRY004  pydantic reads ValueError only
    return value


Offset = Annotated[Minutes, BeforeValidator(_offset)]
