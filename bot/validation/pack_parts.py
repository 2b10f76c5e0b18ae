"""The parts of a pack: a payload, and an indicator that an attack worked.

Decides how each is written, its limits and by what a payload is known. The whole pack is `pack`'s.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import ErrorDetails

from bot.detection.scan.own import compile_pattern
from bot.detection.strict import Model

MOST_TURNS, MOST_SUPPLIED = 50, 100
TEXT_BYTES = 64 * 1024
"""Of one turn or one recorded answer, as UTF-8."""


class Origin(StrEnum):
    """Where a payload came from."""

    ORIGINAL = "original"
    """The attacker sent it in this incident. A fix is only verified with at least one of these."""
    RED_TEAM = "red_team"
    IMPORTED = "imported"


class Placement(StrEnum):
    """Where the attack stands in what the model reads."""

    DIRECT = "direct"
    """The user says it."""
    DOCUMENT = "document"
    """It stands in a document that the user asks about."""
    TOOL_RESULT = "tool_result"
    """A tool hands it back."""


class IndicatorKind(StrEnum):
    """What proves that an attack worked."""

    LITERAL = "literal"
    """This text stands in the answer, whatever its case."""
    REGEX = "regex"
    """This pattern matches in the answer (google-re2: linear time)."""
    CANARY = "canary"
    """A canary's value stands in the answer. Treated as a literal, and as a secret."""
    TOOL_CALL = "tool_call"
    """The tool of this name is called."""
    HTTP = "http"
    """This URL shows a side effect."""


NO_UTF8 = "is no UTF-8: it holds half a character. Save the file as UTF-8."


def _sized(text: str) -> str:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ValueError(NO_UTF8) from None
    if size > TEXT_BYTES:
        raise ValueError(
            f"has {size:,} bytes, and at most {TEXT_BYTES:,} are taken. Shorten it, or split it into turns."
        )
    if not text.strip():
        raise ValueError("is blank. Write the text, or take the entry out.")
    return text


Text = Annotated[str, AfterValidator(_sized)]
Atlas = Annotated[str, StringConstraints(pattern=r"^AML\.T\d{4}(\.\d{3})?$")]
Owasp = Annotated[str, StringConstraints(pattern=r"^(LLM|ASI)\d{2}$")]


class Payload(Model):
    """One attack, as it is sent."""

    turns: tuple[Text, ...] = Field(min_length=1, max_length=MOST_TURNS)
    """What the user says, turn by turn. With another placement: what the document or the tool result holds."""
    origin: Origin = Origin.IMPORTED
    placement: Placement = Placement.DIRECT
    name: str = Field(default="", max_length=200)
    atlas: tuple[Atlas, ...] = Field(default=(), max_length=20)
    owasp: tuple[Owasp, ...] = Field(default=(), max_length=20)
    paraphrases: tuple[Text, ...] = Field(default=(), max_length=MOST_SUPPLIED)
    """The whole attack in other words, each as one turn, from people: none are made up."""
    translations: tuple[Text, ...] = Field(default=(), max_length=MOST_SUPPLIED)
    """The whole attack in other languages, each as one turn, from people."""

    @property
    def id(self) -> str:
        """SHA-256, hex, of the turns and the placement: what is sent, not what it is called."""
        sent = {"placement": self.placement.value, "turns": self.turns}
        canonical = json.dumps(sent, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


class Indicator(Model):
    kind: IndicatorKind
    value: str = Field(min_length=1, max_length=4_096)
    name: str = Field(default="", max_length=120)
    """How it is spoken of where its value may not be shown."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if not self.value.strip():
            raise ValueError("its value is blank, so it would match every answer. Write what the attack makes appear.")
        if self.kind is IndicatorKind.REGEX:
            compile_pattern(self.value)
        elif self.kind is IndicatorKind.HTTP and not self.value.startswith(("http://", "https://")):
            raise ValueError("its value is no URL. Write it with http:// or https://.")
        return self


JSON_FIX = "Mend the JSON there, or make the pack with `firsthour pack import`."


def told(errors: list[ErrorDetails], whole: str = "The pack") -> str:
    """The first complaint with its place, and how many more there are.

    No text of the pack is repeated, which may be an attack or a secret; a pattern that cannot be used is, for who wrote it.
    """
    first = errors[0]
    if first["type"] == "json_invalid":
        return f"{whole} is not JSON: {first['ctx']['error']}. {JSON_FIX}"
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{f'{whole}, {place}' if place else whole}: {_why(first)}{more}"


def _why(detail: ErrorDetails) -> str:
    match detail["type"]:
        case "unknown_keys":
            context = detail["ctx"]
            return (
                f"unknown key {', '.join(map(repr, context['keys']))[:200]}. Known are {', '.join(context['known'])}."
            )
        case "missing":
            return "is missing. Add it."
        case "string_unicode":
            return NO_UTF8
        case "value_error":
            return detail["msg"].removeprefix("Value error, ")
        case _:
            return f"{detail['msg'].replace('Tuple', 'The list').replace(' after validation', '')}. Change it to that."
